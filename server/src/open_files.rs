//! How many files the process may have open: each connection is one.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tracing::{info, warn};

/// Open files beside those of the connections: the database's, the log, the runtime's own.
const OTHERS: u64 = 64;

/// Sees to it that `connections` (0: any number) may be open at once, as far as the system lets it: the soft limit is raised, and what is
/// missing then is said in the log.
pub fn provide(connections: u32) {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return };
    // Without a limit, as many as the system lets it have.
    let needed = if connections == 0 { hard } else { u64::from(connections) + OTHERS };
    if soft >= needed {
        return;
    }
    let wanted = needed.min(hard);
    match setrlimit(Resource::RLIMIT_NOFILE, wanted, hard) {
        Ok(()) if wanted > soft => info!(files.before = soft, files.now = wanted, "the limit of open files was raised"),
        Ok(()) => {}
        Err(error) => warn!(%error, "the limit of open files could not be raised"),
    }
    if wanted < needed {
        warn!(
            "--max-connections {connections} takes {needed} open files, and this process may have {wanted} at most: \
             connections beyond that wait until others end. Raise the limit (ulimit -Hn, LimitNOFILE), or lower \
             --max-connections"
        );
    }
}
