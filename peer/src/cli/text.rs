//! Text of other peers on a terminal, and durations on the command line.

use std::{borrow::Cow, time::Duration};

/// What could move the cursor, hide, reorder or forge text: controls but the tab, bidi and other invisible format
/// characters. The joiners that emoji and several scripts are written with are left alone.
pub(super) fn is_unsafe(c: char) -> bool {
    (c.is_control() && c != '\t')
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}')
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}

/// The text with such characters written out, so that it stays on its line and is what it seems.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match is_unsafe(c) {
            true => safe.extend(c.escape_default()),
            false => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// Reads `500ms`, `30s`, `2m` or `1h`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let form = || format!("{text:?} is not a duration such as 500ms, 30s, 2m or 1h");
    let number: u64 = number.parse().map_err(|_| form())?;
    let ms = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(form()),
    };
    number.checked_mul(ms).map(Duration::from_millis).filter(|duration| !duration.is_zero()).ok_or_else(form)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_moves_the_cursor_or_reorders() {
        for (text, safe) in [
            ("plain héllo 👩‍👧", "plain héllo 👩‍👧"),
            ("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}"),
            ("a\r\nB: forged", "a\\r\\nB: forged"),
            ("\u{202e}txt.exe", "\\u{202e}txt.exe"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("a\tb\0", "a\tb\\u{0}"),
            ("\u{2066}x\u{e0041}", "\\u{2066}x\\u{e0041}"),
        ] {
            assert_eq!(escaped(text), safe);
        }
    }

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(duration("1h"), Ok(Duration::from_secs(3_600)));
        for text in ["", "30", "s", "-1s", "1.5s", "0s", "9999999999999999999h", "1 s", "1d"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_escaped_has_no_controls(text in any::<String>()) {
            prop_assert!(!escaped(&text).chars().any(is_unsafe));
        }
    }
}
