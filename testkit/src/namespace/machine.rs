//! A network namespace as a machine.

use std::{
    ffi::OsStr,
    fs::File,
    process::{Command, Output},
    thread,
};

use anyhow::{Context, ensure};
use nix::sched::{CloneFlags, setns};

/// The machine that a scenario runs on, or another one.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Machine(Option<String>);

impl Machine {
    /// The one that the scenario runs on.
    #[must_use]
    pub fn here() -> Self {
        Self(None)
    }

    /// The namespace of this name.
    pub(super) fn called(name: &str) -> Self {
        Self(Some(name.to_owned()))
    }

    /// What turns into a program on this machine that follows it: nothing for the machine here.
    #[must_use]
    pub fn under(&self) -> Vec<&str> {
        self.0.as_ref().map_or_else(Vec::new, |name| vec!["ip", "netns", "exec", name])
    }

    /// A program on this machine.
    pub fn exec(&self, program: impl AsRef<OsStr>) -> Command {
        let under = self.under();
        let Some((first, words)) = under.split_first() else { return Command::new(program) };
        let mut command = Command::new(first);
        command.args(words).arg(program);
        command
    }

    /// Runs `ip` with these words.
    ///
    /// # Errors
    /// When it refuses.
    pub fn ip(&self, words: &str) -> anyhow::Result<()> {
        run(self.exec("ip").args(words.split(' '))).map(drop)
    }

    /// Gives it an interface of the machine here, under this name.
    ///
    /// # Errors
    /// When `ip` refuses.
    pub fn give(&self, interface: &str, name: &str) -> anyhow::Result<()> {
        let Self(Some(there)) = self else { return self.ip(&format!("link set {interface} name {name}")) };
        Self::here().ip(&format!("link set {interface} netns {there} name {name}"))
    }

    /// What this makes on this machine: a socket that is made there sends and receives there, whoever has it later.
    ///
    /// # Errors
    /// When it can't be entered, or what this does fails.
    pub fn within<T: Send>(&self, make: impl FnOnce() -> anyhow::Result<T> + Send) -> anyhow::Result<T> {
        let Self(Some(name)) = self else { return make() };
        // A namespace is a thread's: one that ends with what it made, so that nothing else is done there.
        let made = thread::scope(|scope| {
            let inside = scope.spawn(|| {
                let file = File::open(format!("/run/netns/{name}"))?;
                setns(file, CloneFlags::CLONE_NEWNET).with_context(|| format!("can't enter {name}"))?;
                make()
            });
            inside.join()
        });
        made.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

/// Runs a command to its end.
///
/// Returns what it printed.
///
/// # Errors
/// When it can't be run, or fails: then with all that it said.
pub fn run(command: &mut Command) -> anyhow::Result<String> {
    let Output { status, stdout, stderr } = command.output().with_context(|| format!("can't run {command:?}"))?;
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    ensure!(status.success(), "{command:?}: {status}\n{stdout}{stderr}");
    Ok(stdout.into_owned())
}
