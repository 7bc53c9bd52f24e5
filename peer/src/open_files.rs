//! How many files this process may open: a connection takes several.

/// Raises the limit to what the system lets this process have; a shell's usual 1,024 is too few for a large swarm.
#[cfg(unix)]
pub(crate) fn raise_limit() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < hard
    {
        // Where the system takes less than it says, what there is has to do: who runs out of it is told.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

#[cfg(not(unix))]
pub(crate) fn raise_limit() {}
