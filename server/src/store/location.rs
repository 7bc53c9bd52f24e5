//! Where a `--database-url` leads, and what is in the way there. Nothing is opened for writing, made or changed here.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow, bail, ensure};
use nix::unistd::{AccessFlags, access};
use percent_encoding::percent_decode_str;

/// The first bytes of every SQLite database.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// Where a database says which program's it is, as four bytes.
const APPLICATION_ID: std::ops::Range<usize> = 68..72;
/// Ours: "grtc". Databases from before it have none.
const OURS: [u8; 4] = *b"grtc";

/// What a `sqlite:` URL names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Location {
    Memory,
    File {
        path: PathBuf,
        /// The path as it stands in the URL.
        raw: String,
        /// To be made if it is not there.
        create: bool,
        /// Not to be written.
        read_only: bool,
    },
}

impl Location {
    /// Reads a URL as the database library does: what a path has of `?`, `#` and `%` is percent-encoded.
    pub(super) fn parse(url: &str) -> anyhow::Result<Self> {
        let rest = url.trim_start_matches("sqlite:").trim_start_matches("//");
        let (raw, query) = rest.split_once('?').unwrap_or((rest, ""));
        let query: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        let is =
            |name: &str, values: &[&str]| query.iter().any(|(key, value)| key == name && values.contains(&&**value));
        if raw == ":memory:" || is("mode", &["memory"]) {
            return Ok(Self::Memory);
        }
        let path = percent_decode_str(raw).decode_utf8().with_context(|| format!("its path {raw} is not UTF-8"))?;
        ensure!(!path.is_empty() && !path.contains('\0'), "it names no file: write it as sqlite://grtc.db?mode=rwc");
        let (create, read_only) = (is("mode", &["rwc"]), is("mode", &["ro"]) || is("immutable", &["1", "true"]));
        Ok(Self::File { path: PathBuf::from(path.as_ref()), raw: raw.to_owned(), create, read_only })
    }

    /// The file of a database that is there, to be read and no more.
    ///
    /// # Errors
    /// What is in the way, and what to do about it.
    pub(super) fn to_read(&self) -> anyhow::Result<&Path> {
        let path = self.file()?;
        let found = fs::metadata(path).map_err(|error| anyhow!("{} can't be reached: {error}", path.display()))?;
        ensure!(found.is_file(), "{} is no file: name another one", path.display());
        ensure!(found.len() > 0, "{} is empty: no server has used it yet", path.display());
        ours(path).map(|()| path)
    }

    /// The file, which outlives the process.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn file(&self) -> anyhow::Result<&Path> {
        match self {
            Self::Memory => bail!("it is in the memory of one process, and ends with that: name a file"),
            Self::File { path, .. } => Ok(path),
        }
    }

    /// Whether a database can be there.
    ///
    /// # Errors
    /// What is in the way, and what to do about it.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let Self::File { path, raw, create, read_only } = self else { return Ok(()) };
        let name = path.display();
        ensure!(!read_only, "{name} is to be opened for reading only, and grtc writes: say mode=rw or mode=rwc");
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => {
                bail!("{name} is a folder: name a file in it, as sqlite://{raw}/grtc.db?mode=rwc")
            }
            Ok(found) if !found.is_file() => bail!("{name} is no regular file: name another one"),
            Ok(_) => existing(path)?,
            Err(error) if error.kind() == ErrorKind::NotFound => missing(path, raw, *create)?,
            Err(error) => bail!("{name} can't be reached: {error}"),
        }
        let folder = folder(path);
        access(folder, AccessFlags::W_OK | AccessFlags::X_OK).map_err(|error| {
            let error = io::Error::from(error);
            let advice = advice(&error);
            anyhow!(
                "its folder {} can't be written, and SQLite keeps files beside the database: {error}; {advice}",
                folder.display()
            )
        })
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn missing(path: &Path, raw: &str, create: bool) -> anyhow::Result<()> {
    let folder = folder(path);
    let decoded = path.to_str() != Some(raw);
    let hint = if decoded { " (in a URL, %25 stands for a %, and %20 for a blank)" } else { "" };
    ensure!(folder.exists(), "there is no folder {}: make it, or name another file{hint}", folder.display());
    ensure!(folder.is_dir(), "{} is no folder: name another file{hint}", folder.display());
    ensure!(create, "there is no file {}: have it made with ?mode=rwc, or name another one{hint}", path.display());
    ensure!(
        !(decoded && Path::new(raw).is_file()),
        "there is a file {raw}, but this URL names {}: write each % of its path as %25",
        path.display()
    );
    Ok(())
}

fn existing(path: &Path) -> anyhow::Result<()> {
    if let Err(error) = File::open(path).and_then(|_| File::options().write(true).open(path)) {
        let what = if File::open(path).is_ok() { "written" } else { "read" };
        bail!("{} can't be {what}: {error}; {}", path.display(), advice(&error));
    }
    ours(path)
}

/// Whether a file may be ours by its first bytes, or is empty.
fn ours(path: &Path) -> anyhow::Result<()> {
    let name = path.display();
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(100).read_to_end(&mut head));
    read.map_err(|error| anyhow!("{name} can't be read: {error}; {}", advice(&error)))?;
    if head.is_empty() {
        return Ok(());
    }
    ensure!(head.starts_with(MAGIC), "{name} is not a database of SQLite: name another file");
    let application = head.get(APPLICATION_ID).unwrap_or_default();
    ensure!(application == [0; 4] || application == OURS, "{name} is another program's database: name another file");
    Ok(())
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::ReadOnlyFilesystem => "move it to a medium that can be written",
        ErrorKind::PermissionDenied => "give it to the user that the server runs as",
        _ => "name another file",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_url_as_the_database_library_does() {
        let file = |raw: &str, path: &str, create| Location::File {
            path: path.into(),
            raw: raw.into(),
            create,
            read_only: false,
        };
        for (url, location) in [
            ("sqlite::memory:", Location::Memory),
            ("sqlite://:memory:", Location::Memory),
            ("sqlite://x?mode=memory", Location::Memory),
            ("sqlite://grtc.db", file("grtc.db", "grtc.db", false)),
            ("sqlite:grtc.db?mode=rwc", file("grtc.db", "grtc.db", true)),
            ("sqlite:///a%20b/c%25d.db?cache=private&mode=rwc", file("/a%20b/c%25d.db", "/a b/c%d.db", true)),
        ] {
            assert_eq!(Location::parse(url).unwrap(), location, "{url}");
        }
        assert!(Location::parse("sqlite://%ff").is_err() && Location::parse("sqlite://?mode=rwc").is_err());
    }
}
