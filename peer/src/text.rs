//! Text of other peers on a terminal.

use std::{
    borrow::Cow,
    fmt::{self, Write},
};

use grtc_protocol::text::hidden;

/// The text with what could move the cursor, hide, reorder or forge written out, so that it stays on its line and is what it
/// seems.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    rewritten(text, |safe, c| write!(safe, "{}", c.escape_default()))
}

/// JSON as it is safe to see on a terminal. It stays the same JSON.
pub(crate) fn escaped_json(json: &str) -> Cow<'_, str> {
    rewritten(json, |safe, c| c.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(safe, "\\u{unit:04x}")))
}

fn rewritten(text: &str, write: impl Fn(&mut String, char) -> fmt::Result) -> Cow<'_, str> {
    let mut hidden = hidden(text).filter(|(_, c)| *c != '\t').peekable();
    if hidden.peek().is_none() {
        return Cow::Borrowed(text);
    }
    let (mut safe, mut rest) = (String::with_capacity(text.len() + 16), 0);
    for (at, c) in hidden {
        safe.push_str(text.get(rest..at).unwrap_or_default());
        // Writing to a string can't fail.
        let _ = write(&mut safe, c);
        rest = at + c.len_utf8();
    }
    safe.push_str(text.get(rest..).unwrap_or_default());
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn is_safe(text: &str) -> bool {
        hidden(text).all(|(_, c)| c == '\t')
    }

    #[test]
    fn nothing_moves_the_cursor_or_reorders() {
        for (text, safe) in [
            ("plain héllo 👩‍👧 ශ්‍රී نمی‌خواهم", "plain héllo 👩‍👧 ශ්‍රී نمی‌خواهم"),
            ("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}"),
            ("a\r\nB: forged", "a\\r\\nB: forged"),
            ("\u{202e}txt.exe", "\\u{202e}txt.exe"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("a\tb\0", "a\tb\\u{0}"),
            ("\u{2066}x\u{e0041}", "\\u{2066}x\\u{e0041}"),
            ("a\u{200d}b\u{3164}", "a\\u{200d}b\\u{3164}"),
        ] {
            assert_eq!(escaped(text), safe);
        }
    }

    #[test]
    fn json_stays_what_it_is_and_moves_no_cursor() {
        let text = "a\u{9b}31m\u{202e}\u{7f}\u{e0041} é👩";
        let line = json!({ "text": text }).to_string();
        let line = escaped_json(&line);
        assert!(is_safe(&line), "{line}");
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), json!({ "text": text }));
    }

    proptest! {
        #[test]
        fn what_is_escaped_hides_nothing(text in "[\\PC\u{200c}\u{200d}\u{fe0f}\u{94d}👩کن]{0,40}|.{0,40}") {
            prop_assert!(is_safe(&escaped(&text)));
        }
    }
}
