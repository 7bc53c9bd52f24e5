//! The configuration file: TOML with the names of the flags, `listen = "127.0.0.1:8001"`.

use std::path::Path;

use anyhow::{Context, bail};
use clap::{Arg, Command, builder::Resettable};
use toml::{Table, Value};

/// The subcommands that take options of `serve`: all of them, or some.
const SERVING: [&str; 7] = ["serve", "check-config", "print-config", "backup", "migrate", "export", "import"];

/// Makes the values of the file the defaults of `command` and of its subcommands.
pub(super) fn apply(command: Command, path: &Path) -> anyhow::Result<Command> {
    let text = std::fs::read_to_string(path).context("can't be read")?;
    let table: Table = text.parse().context("is not TOML")?;
    let mut options = Vec::new();
    for (key, value) in table {
        let known = command.get_arguments().any(|arg| arg.get_id() == key.as_str());
        if !known || key == "config" {
            bail!("{key:?} is not an option; `grtc-server print-config` prints those that are");
        }
        options.push((key, values(value)?));
    }
    Ok(options
        .into_iter()
        .fold(command, |command, (key, values)| everywhere(command, &key, |arg| arg.default_values(values.clone()))))
}

/// A variable that is set to nothing, as container tools pass on those that are not set at all, says nothing.
pub(super) fn without_empty_variables(command: Command) -> Command {
    let is_empty = |arg: &Arg| arg.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
    command
        .mut_args(|arg| if is_empty(&arg) { arg.env(Resettable::Reset) } else { arg })
        .mut_subcommands(without_empty_variables)
}

/// Changes an option of `serve` wherever it can stand.
fn everywhere(command: Command, key: &str, change: impl Fn(Arg) -> Arg) -> Command {
    let command = command.mut_arg(key, &change);
    SERVING.into_iter().fold(command, |command, name| {
        command.mut_subcommand(name, |subcommand| {
            let has_it = subcommand.get_arguments().any(|arg| arg.get_id() == key);
            if has_it { subcommand.mut_arg(key, &change) } else { subcommand }
        })
    })
}

fn values(value: Value) -> anyhow::Result<Vec<clap::builder::OsStr>> {
    Ok(match value {
        Value::String(text) => vec![text.into()],
        Value::Integer(number) => vec![number.to_string().into()],
        Value::Boolean(flag) => vec![flag.to_string().into()],
        Value::Array(items) => items.into_iter().map(values).collect::<anyhow::Result<Vec<_>>>()?.concat(),
        other => bail!("{other} can't be the value of an option"),
    })
}
