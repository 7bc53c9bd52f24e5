//! Room on the disk of the database. A file beside it keeps some back, so that on a full disk items can still be
//! deleted: that takes a little room before it gives any.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use nix::{fcntl::posix_fallocate, sys::statvfs::statvfs};
use tracing::debug;

/// What is kept back: a few hundred deletions' worth of the write-ahead log.
pub(super) const RESERVE: u64 = 256 * 1024;
/// With less than this, the log is emptied after each commit, so that it never holds more than the database has room
/// for: it is emptied by itself when it has 4 MiB.
const LOW: u64 = 8 * 1024 * 1024;

/// The disk of the database.
pub(super) struct Space {
    folder: PathBuf,
    reserve: PathBuf,
    /// SQLite's own, for what connections share.
    shared: PathBuf,
    log: PathBuf,
}

impl Space {
    pub(super) fn beside(database: &Path) -> Self {
        let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let beside = |ending| {
            let mut name = database.as_os_str().to_owned();
            name.push(ending);
            name.into()
        };
        Self { folder: folder.to_owned(), reserve: beside("-reserve"), shared: beside("-shm"), log: beside("-wal") }
    }

    /// Bytes that may be written; more than enough where the system does not say.
    pub(super) fn free(&self) -> u64 {
        let free = |disk: nix::sys::statvfs::Statvfs| disk.blocks_available().saturating_mul(disk.fragment_size());
        statvfs(&self.folder).map_or(u64::MAX, free)
    }

    /// Whether a write of so many bytes is to be careful.
    pub(super) fn is_low(&self, bytes: u64) -> bool {
        self.free() < LOW.saturating_add(bytes)
    }

    fn is_kept(&self) -> bool {
        fs::metadata(&self.reserve).is_ok_and(|file| file.len() == RESERVE)
    }

    /// Keeps the reserve, if there is room for it and as much again.
    pub(super) fn keep(&self) {
        if self.is_kept() || self.free() < 2 * RESERVE {
            return;
        }
        let length = i64::try_from(RESERVE).unwrap_or_default();
        let kept = File::create(&self.reserve).and_then(|file| Ok(posix_fallocate(file, 0, length)?));
        if let Err(error) = kept {
            debug!(%error, "no room is kept back on the database's disk");
            self.give_up();
        }
    }

    /// Removes the file for shared memory, once the database is closed: a start on a full disk begins one and leaves it.
    /// While another program has the database open, there is a log.
    pub(super) fn clear_away(&self) {
        if !self.log.exists()
            && let Err(error) = fs::remove_file(&self.shared)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            debug!(%error, "a file beside the database stays");
        }
    }

    /// Gives the reserve back to the disk.
    pub(super) fn give_up(&self) {
        if let Err(error) = fs::remove_file(&self.reserve)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            debug!(%error, "the room that was kept back can't be given up");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_room_back_and_gives_it_up() {
        let folder = tempfile::tempdir().unwrap();
        let space = Space::beside(&folder.path().join("a.db"));
        space.give_up();
        space.keep();
        let reserve = folder.path().join("a.db-reserve");
        use std::os::unix::fs::MetadataExt as _;
        assert_eq!(fs::metadata(&reserve).unwrap().blocks() * 512, RESERVE);
        space.give_up();
        assert!(!reserve.exists());
    }
}
