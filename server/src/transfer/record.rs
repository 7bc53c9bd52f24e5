//! The lines of a file, and the bounds of each: those of the API.

use serde::{Deserialize, Deserializer, Serialize};

use super::{
    bounds::{FORMAT, MAX_ID, VERSION},
    time,
};
use crate::{
    limits::{DESCRIPTION_CHARS, REVOKED_BYTES, TITLE_CHARS},
    store::model::Status,
};

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`FORMAT`].
    format: String,
    /// [`VERSION`].
    version: u64,
    /// Microseconds since 1970.
    #[serde(with = "time")]
    exported_at: i64,
    /// The highest id that an item ever had, also one that is gone; 0: there was none.
    pub highest_item_id: i64,
    /// The highest id that a job ever had.
    pub highest_job_id: i64,
}

impl Header {
    /// That of an export made at this time, in microseconds since 1970.
    #[must_use]
    pub fn new(exported_at: i64, highest_item_id: i64, highest_job_id: i64) -> Self {
        Self { format: FORMAT.to_owned(), version: VERSION, exported_at, highest_item_id, highest_job_id }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        for (name, id) in [("highest_item_id", self.highest_item_id), ("highest_job_id", self.highest_job_id)] {
            within(name, id, 0, MAX_ID)?;
        }
        Ok(())
    }
}

/// An item, with all that the API shows of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemRecord {
    /// From 1 to the header's `highest_item_id`.
    pub id: i64,
    /// 1 to 200 characters.
    pub title: String,
    /// At most 10,000 characters.
    #[serde(deserialize_with = "there")]
    pub description: Option<String>,
    /// What it is at.
    pub status: Status,
    /// Microseconds since 1970.
    #[serde(with = "time")]
    pub created_at: i64,
    /// Microseconds since 1970.
    #[serde(with = "time")]
    pub updated_at: i64,
    /// From 1.
    pub version: i64,
}

impl ItemRecord {
    pub(super) fn check(&self, header: &Header) -> Result<(), String> {
        id(self.id, header.highest_item_id)?;
        characters("title", &self.title, 1, TITLE_CHARS)?;
        characters("description", self.description.as_deref().unwrap_or_default(), 0, DESCRIPTION_CHARS)?;
        within("version", self.version, 1, MAX_ID)
    }
}

/// Tokens that are dead before their time: without these lines, another database would let them in again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevocationRecord {
    /// The claim that `name` is the value of: `sub` or `jti`.
    pub kind: String,
    /// 1 to 8,192 bytes.
    pub name: String,
    /// Those that were issued up to this time are dead, in microseconds since 1970.
    #[serde(with = "time")]
    pub at: i64,
}

impl RevocationRecord {
    pub(super) fn check(&self) -> Result<(), String> {
        if !matches!(self.kind.as_str(), "sub" | "jti") {
            return Err("kind has to be sub or jti".to_owned());
        }
        match (1..=REVOKED_BYTES).contains(&self.name.len()) {
            true => Ok(()),
            false => Err(format!("name has to have 1 to {REVOKED_BYTES} bytes")),
        }
    }
}

/// How many lines of each kind there are: the last line has this, so that a file which ends too early is noticed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Items.
    pub items: u64,
    /// Jobs.
    pub jobs: u64,
    /// Revocations.
    pub revocations: u64,
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { items, jobs, revocations } = self;
        write!(f, "items: {items}, jobs: {jobs}, revocations: {revocations}")
    }
}

/// `null` is a value here, and a field that is not there none.
pub(super) fn there<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Deserialize::deserialize(deserializer)
}

pub(super) fn id(id: i64, highest: i64) -> Result<(), String> {
    within("id", id, 1, highest)
}

pub(super) fn within(name: &str, number: i64, least: i64, most: i64) -> Result<(), String> {
    match (least..=most).contains(&number) {
        true => Ok(()),
        false => Err(format!("{name} has to be from {least} to {most}, and is {number}")),
    }
}

fn characters(name: &str, text: &str, least: usize, most: usize) -> Result<(), String> {
    match (least..=most).contains(&text.chars().count()) {
        true => Ok(()),
        false => Err(format!("{name} has to have {least} to {most} characters")),
    }
}
