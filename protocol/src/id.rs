//! Names of peers and rooms.
//!
//! A name is 1–64 Unicode scalar values in NFC, without control, format (bidi, zero-width), line separating, unassigned or
//! otherwise [hidden](crate::text) characters and without `/`, something of it can be seen, and it is not `.` or `..`. So
//! a name can stand in a URL path, a log line and on a terminal without being mistaken for anything else.

use std::{borrow::Borrow, borrow::Cow, fmt, str::FromStr, sync::Arc};

use icu_properties::props::{GeneralCategory, GeneralCategoryGroup};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::{
    limits::{NAME_CHARS, NAME_MARKS},
    text,
};

/// Why a text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Nothing there.
    #[error("a name needs at least one character")]
    Empty,
    /// More than [`NAME_CHARS`].
    #[error("a name has at most {NAME_CHARS} characters")]
    TooLong,
    /// A control, format, separator or unassigned character, one without a glyph where it stands, or a slash.
    #[error("a name can't contain the character U+{:04X}", u32::from(*.0))]
    Character(char),
    /// `.` or `..`.
    #[error("a name can't be \".\" or \"..\"")]
    Dots,
    /// It begins with a combining mark, or has more than [`NAME_MARKS`] on one character.
    #[error("a name can't begin with a combining mark, nor have more than {NAME_MARKS} of them on one character")]
    Marks,
    /// Nothing of it can be seen.
    #[error("a name needs a character that can be seen")]
    Blank,
}

/// The first character that no name has there.
fn forbidden(name: &str) -> Option<char> {
    let hidden = text::hidden(name).next();
    let other = name.char_indices().find(|(_, c)| {
        *c == '/'
            || (!c.is_ascii() && (text::category(*c) == GeneralCategory::Unassigned || text::is_prepended_sign(*c)))
    });
    hidden.into_iter().chain(other).min().map(|(_, c)| c)
}

fn has_stray_marks(name: &str) -> bool {
    let mut stacked = 0;
    name.starts_with(|c| text::is(c, GeneralCategoryGroup::Mark))
        || name.chars().any(|c| {
            stacked = if text::is_stacked(c) { stacked + 1 } else { 0 };
            stacked > NAME_MARKS
        })
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
    if let Some(c) = forbidden(&name) {
        return Err(InvalidName::Character(c));
    }
    if name.chars().count() > NAME_CHARS {
        return Err(InvalidName::TooLong);
    }
    if has_stray_marks(&name) {
        return Err(InvalidName::Marks);
    }
    if text::is_blank(&name) {
        return Err(InvalidName::Blank);
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
