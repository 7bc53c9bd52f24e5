//! A file that is there under its name only when it is whole and on the disk. Until then it is in a hidden folder beside
//! that, with whatever a library puts beside it.

use std::{
    fs::{self, File},
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use tempfile::{Builder, NamedTempFile, TempDir};

/// A file in the making, for its owner alone (mode 0600). Dropping it removes it.
#[derive(Debug)]
pub(crate) struct NewFile {
    file: NamedTempFile,
    path: PathBuf,
    /// Goes with all that is in it.
    folder: TempDir,
}

impl NewFile {
    /// Begins one, which is to be at `path`: in a folder `.NAME.….part` beside it.
    ///
    /// # Errors
    /// When something is there already, or the folder is none or can't be written.
    pub(crate) fn begin(path: &Path) -> anyhow::Result<Self> {
        let name = path.file_name().with_context(|| format!("{} names no file", path.display()))?;
        ensure!(fs::symlink_metadata(path).is_err(), already_there(path));
        let folder = folder(path);
        ensure!(folder.is_dir(), "there is no folder {}: make it, or name another file", folder.display());
        let mut prefix = std::ffi::OsString::from(".");
        prefix.push(name);
        prefix.push(".");
        let made = Builder::new().prefix(&prefix).suffix(".part").tempdir_in(folder);
        let made = made.and_then(|folder| Ok((NamedTempFile::new_in(folder.path())?, folder)));
        let (file, folder) = made.with_context(|| format!("nothing can be made in the folder {}", folder.display()))?;
        Ok(Self { file, path: path.to_owned(), folder })
    }

    /// Where it is now.
    pub(crate) fn place(&self) -> &Path {
        self.file.path()
    }

    /// To write into.
    pub(crate) fn file(&self) -> &File {
        self.file.as_file()
    }

    /// Brings it to the disk and gives it its name: file, then name, then folder.
    ///
    /// # Errors
    /// When the disk does not take it, or something has come to be there: then nothing is left of it.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        let Self { file, path, folder: made } = self;
        file.as_file().sync_all().with_context(|| format!("{} can't be brought to the disk", path.display()))?;
        match file.persist_noclobber(&path) {
            Ok(_) => {}
            Err(failed) if failed.error.kind() == ErrorKind::AlreadyExists => bail!(already_there(&path)),
            Err(failed) => return Err(failed.error).with_context(|| format!("it can't be named {}", path.display())),
        }
        let whole = || format!("{} is whole, but its folder is not as it should be", path.display());
        made.close().with_context(whole)?;
        let folder = folder(&path);
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.with_context(whole)
    }
}

fn already_there(path: &Path) -> String {
    format!("{} is there already, and nothing is overwritten: name another file, or move that one away", path.display())
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::{io::Write as _, os::unix::fs::PermissionsExt as _};

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn is_there_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let new = NewFile::begin(&path).unwrap();
        new.file().write_all(b"all").unwrap();
        let before = names(folder.path());
        assert!(before.len() == 1 && before[0].starts_with(".a.db.") && before[0].ends_with(".part"), "{before:?}");
        new.finish().unwrap();
        assert_eq!((names(folder.path()), fs::read(&path).unwrap()), (vec!["a.db".to_owned()], b"all".to_vec()));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn replaces_nothing_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let new = NewFile::begin(&path).unwrap();
        fs::write(&path, "another's").unwrap();
        assert!(new.finish().unwrap_err().to_string().contains("is there already"));
        assert!(NewFile::begin(&path).unwrap_err().to_string().contains("is there already"));
        std::os::unix::fs::symlink("nowhere", folder.path().join("link")).unwrap();
        assert!(NewFile::begin(&folder.path().join("link")).is_err(), "a link that leads nowhere is something, too");
        assert!(NewFile::begin(&folder.path().join("none/a.db")).unwrap_err().to_string().contains("no folder"));
        let new = NewFile::begin(&folder.path().join("b.db")).unwrap();
        fs::write(new.place().with_extension("journal"), "a library's").unwrap();
        drop(new);
        assert_eq!(fs::read(&path).unwrap(), b"another's");
        assert_eq!(names(folder.path()).len(), 2, "{:?}", names(folder.path()));
    }
}
