//! Text of other peers on a terminal.

use std::borrow::Cow;

/// What could move the cursor, hide, reorder or forge text: controls but the tab, bidi and other invisible format
/// characters. The joiners that emoji and several scripts are written with are left alone.
pub(crate) fn is_unsafe(c: char) -> bool {
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

    proptest! {
        #[test]
        fn what_is_escaped_has_no_controls(text in any::<String>()) {
            prop_assert!(!escaped(&text).chars().any(is_unsafe));
        }
    }
}
