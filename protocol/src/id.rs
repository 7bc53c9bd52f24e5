//! Names of peers and rooms.
//!
//! A name is 1–64 Unicode scalar values in NFC, without control, format (bidi, zero-width), line separating or
//! unassigned characters and without `/`, and it is not `.` or `..`. So a name can stand in a URL path, a log line and
//! on a terminal without being mistaken for anything else.

use std::{borrow::Borrow, borrow::Cow, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use crate::limits::NAME_CHARS;

/// Why a text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Nothing there.
    #[error("a name needs at least one character")]
    Empty,
    /// More than [`NAME_CHARS`].
    #[error("a name has at most {NAME_CHARS} characters")]
    TooLong,
    /// A control, format, separator or unassigned character, or a slash.
    #[error("a name can't contain the character U+{:04X}", u32::from(*.0))]
    Character(char),
    /// `.` or `..`.
    #[error("a name can't be \".\" or \"..\"")]
    Dots,
}

fn allowed(c: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator, Unassigned};
    c != '/'
        && (c.is_ascii_graphic()
            || c == ' '
            || !matches!(c.general_category(), Control | Format | LineSeparator | ParagraphSeparator | Unassigned))
}

/// The NFC form of `text`, which is borrowed when it has that form already.
#[must_use]
pub fn normalize(text: &str) -> Cow<'_, str> {
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => Cow::Borrowed(text),
        _ => Cow::Owned(text.nfc().collect()),
    }
}

fn parse(text: &str) -> Result<Arc<str>, InvalidName> {
    // NFC can grow a text (at most threefold) or shrink it, so only what can't fit any more is cut off before.
    if text.len() > NAME_CHARS * 4 * 3 {
        return Err(InvalidName::TooLong);
    }
    let name = normalize(text);
    match &*name {
        "" => return Err(InvalidName::Empty),
        "." | ".." => return Err(InvalidName::Dots),
        _ => {}
    }
    if let Some(c) = name.chars().find(|c| !allowed(*c)) {
        return Err(InvalidName::Character(c));
    }
    if name.chars().count() > NAME_CHARS {
        return Err(InvalidName::TooLong);
    }
    Ok(name.into())
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name, in NFC.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;
            fn from_str(text: &str) -> Result<Self, InvalidName> {
                parse(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

name! {
    /// The name of a peer, unique within its room. Ordered by Unicode code point: the later of a pair is the polite one.
    PeerId
}
name! {
    /// The name of a room.
    RoomId
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn takes_ordinary_names_as_they_are() {
        for name in ["a", "client A", "sala-1", "日本語", "ñandú", "…", "x.y", "%2F", "👩"] {
            assert_eq!(name.parse::<PeerId>().map(|id| id.to_string()).as_deref(), Ok(name));
        }
    }

    #[test]
    fn takes_nfd_as_its_nfc() {
        assert_eq!("e\u{301}".parse::<RoomId>().unwrap().as_str(), "é");
        assert_eq!("e\u{301}".parse::<RoomId>(), "é".parse::<RoomId>());
    }

    #[test]
    fn refuses_what_could_be_mistaken_for_something_else() {
        use InvalidName::{Character, Dots, Empty, TooLong};
        for (name, why) in [
            ("", Empty),
            (".", Dots),
            ("..", Dots),
            ("a/b", Character('/')),
            ("a\nb", Character('\n')),
            ("\u{1b}]0;x", Character('\u{1b}')),
            ("a\u{0}", Character('\0')),
            ("\u{85}", Character('\u{85}')),
            ("a\u{202e}b", Character('\u{202e}')),
            ("a\u{200b}b", Character('\u{200b}')),
            ("\u{2028}", Character('\u{2028}')),
            ("\u{378}", Character('\u{378}')),
            (&"x".repeat(65), TooLong),
            (&"x".repeat(10_000), TooLong),
        ] {
            assert_eq!(name.parse::<PeerId>(), Err(why), "{name:?}");
        }
    }

    #[test]
    fn counts_characters_and_not_bytes() {
        assert!("é".repeat(64).parse::<PeerId>().is_ok());
        assert!("e\u{301}".repeat(64).parse::<PeerId>().is_ok());
        assert!("é".repeat(65).parse::<PeerId>().is_err());
    }

    proptest! {
        #[test]
        fn a_name_is_stable_and_survives_json(text in "\\PC{0,80}|.{0,80}") {
            if let Ok(id) = text.parse::<PeerId>() {
                prop_assert_eq!(id.as_str().parse::<PeerId>().unwrap(), id.clone());
                let json = serde_json::to_string(&id).unwrap();
                prop_assert_eq!(serde_json::from_str::<PeerId>(&json).unwrap(), id);
            }
        }
    }
}
