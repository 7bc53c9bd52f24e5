//! The flags of the limits, made from their table.

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, value_parser};

use crate::limits::{TABLE, Values};

impl Args for Values {
    fn augment_args(command: Command) -> Command {
        TABLE.iter().fold(command, |command, entry| {
            let burst = entry.burst.map(|burst| format!(", {burst} of them at once")).unwrap_or_default();
            command.arg(
                Arg::new(entry.key)
                    .long(entry.key.replace('_', "-"))
                    .env(entry.variable())
                    .default_value(entry.default.to_string())
                    .value_parser(value_parser!(u32))
                    .value_name("N")
                    .help(format!("{}{burst}; 0: any number", capitalized(entry.counts))),
            )
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Values {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut values = Self::default();
        values.update_from_arg_matches(matches)?;
        Ok(values)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for entry in &TABLE {
            if let Some(value) = matches.get_one::<u32>(entry.key) {
                self[entry.limit] = *value;
            }
        }
        Ok(())
    }
}

/// With a capital, as a help text begins.
fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
