//! `grtc-peer completions SHELL`

use clap::{Args, Command};
use clap_complete::Shell;

use super::exit::Exit;

/// The completion script of a shell, on stdout.
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell.
    shell: Shell,
}

impl Completions {
    /// Prints the script for this command line.
    pub(super) fn run(self, mut command: Command) -> Exit {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "grtc-peer", &mut script);
        // The script for bash names the command in two ways when there is a hyphen in it.
        let script = String::from_utf8_lossy(&script).replace("grtc__subcmd__peer", "grtc__peer");
        match std::io::Write::write_all(&mut std::io::stdout(), script.as_bytes()) {
            Ok(()) => Exit::Well,
            Err(_) => Exit::Local,
        }
    }
}
