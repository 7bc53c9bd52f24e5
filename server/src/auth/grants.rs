//! What a token lets its bearer do: the claim `grtc`.

use std::borrow::Cow;

use grtc_protocol::{PeerId, RoomId, id::normalize, json};
use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

use super::refused::Refused;

/// What is not there is not allowed, but `publish`, which is allowed unless it says otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Grants {
    /// The rooms that may be joined.
    #[serde(default)]
    pub(crate) rooms: Vec<Rooms>,
    /// The one peer id that may be joined under.
    #[serde(default, deserialize_with = "present")]
    pub(crate) peer_id: Option<PeerId>,
    /// Whether messages may be sent to the room, besides the signals that open channels.
    #[serde(default = "yes")]
    pub(crate) publish: bool,
    /// Whether items and jobs may be read or changed.
    #[serde(default, deserialize_with = "present")]
    pub(crate) items: Option<Items>,
    /// Whether rooms may be listed.
    #[serde(default)]
    pub(crate) list: bool,
    /// Whether the server may be administered.
    #[serde(default)]
    pub(crate) admin: bool,
}

/// How far items may be gone about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Items {
    /// Reading them, their jobs and their events.
    Read,
    /// Changing them as well.
    Write,
}

/// The rooms that one entry names: one, or all whose names begin alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rooms {
    /// This one.
    One(RoomId),
    /// All that begin so: the entry ended in `*`.
    Beginning(Box<str>),
}

impl Grants {
    /// Reads the claim.
    ///
    /// # Errors
    /// When it is not an object with fields of the right kinds.
    pub(super) fn read(claim: &RawValue) -> Result<Self, Refused> {
        json::object(claim.get().as_bytes())
            .map_err(|error| Refused::invalid(format!("its \"grtc\" can't be read: {error}")))
    }

    /// Whether this room may be joined.
    pub(crate) fn room(&self, room: &RoomId) -> bool {
        self.rooms.iter().any(|rooms| rooms.include(room))
    }
}

impl Rooms {
    fn include(&self, room: &RoomId) -> bool {
        match self {
            Self::One(one) => one == room,
            Self::Beginning(prefix) => room.as_str().starts_with(&**prefix),
        }
    }
}

impl<'de> Deserialize<'de> for Rooms {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entry = Cow::<str>::deserialize(deserializer)?;
        match entry.strip_suffix('*') {
            Some(prefix) => Ok(Self::Beginning(normalize(prefix).into())),
            None => entry.parse().map(Self::One).map_err(de::Error::custom),
        }
    }
}

/// A claim that is there has a value: `null` is none.
pub(super) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

const fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(json: &str) -> Result<Grants, Refused> {
        Grants::read(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn what_is_not_there_is_not_allowed() {
        let none = grants("{}").unwrap();
        assert_eq!(none, Grants { publish: true, ..Grants::default() });
        assert!(!none.room(&"a".parse().unwrap()));
        let some = grants(
            r#"{"rooms":["team-1","ci-*"],"peer_id":"a","publish":false,"items":"write","list":true,"later":1}"#,
        );
        let some = some.unwrap();
        assert!(!some.publish && some.list && !some.admin && some.items >= Some(Items::Read));
        for (room, allowed) in
            [("team-1", true), ("team-11", false), ("ci-", true), ("ci-7", true), ("ci", false), ("CI-7", false)]
        {
            assert_eq!(some.room(&room.parse().unwrap()), allowed, "{room}");
        }
        assert!(grants(r#"{"rooms":["*"]}"#).unwrap().room(&"anything".parse().unwrap()));
        // A name has one form, and so has the beginning of one.
        assert!(grants("{\"rooms\":[\"e\u{301}*\"]}").unwrap().room(&"\u{e9}t\u{e9}".parse().unwrap()));
    }

    #[test]
    fn what_is_no_such_object_is_refused() {
        for json in [
            "null",
            "[]",
            "true",
            r#""*""#,
            r#"{"rooms":"*"}"#,
            r#"{"rooms":[1]}"#,
            r#"{"rooms":["a/b"]}"#,
            r#"{"rooms":[""]}"#,
            r#"{"rooms":null}"#,
            r#"{"peer_id":null}"#,
            r#"{"peer_id":7}"#,
            r#"{"publish":"false"}"#,
            r#"{"publish":null}"#,
            r#"{"items":"all"}"#,
            r#"{"items":true}"#,
            r#"{"items":null}"#,
            r#"{"list":1}"#,
            r#"{"admin":"true"}"#,
            r#"{"admin":false,"admin":true}"#,
            r#"{"rooms":["a"],"rooms":["*"]}"#,
        ] {
            assert!(grants(json).is_err(), "{json}");
        }
    }
}
