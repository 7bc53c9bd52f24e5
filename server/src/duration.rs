//! Times as people write them: in flags and queries.

use std::time::Duration;

use jiff::SignedDuration;

/// A time with its unit, or a number of seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    if let Ok(seconds) = text.parse() {
        return Ok(Duration::from_secs(seconds));
    }
    let duration = text.parse().ok().and_then(|duration: SignedDuration| Duration::try_from(duration).ok());
    duration.ok_or_else(|| "a time has a number and a unit, as 120s, 2m or 500ms".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn reads_seconds_and_units() {
        for (text, ms) in
            [("0", 0), ("2", 2_000), ("120s", 120_000), ("2m", 120_000), ("0.5s", 500), ("1m 30s", 90_000)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "-1", "-1s", "soon", "1x"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_default_is_that_of_the_library() {
        assert_eq!(duration("120s"), Ok(Config::default().resume_grace));
    }
}
