//! A job as a line.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    record::{Header, id, there, within},
    time,
};
use crate::store::model::JobState;

/// A job, with what its place in the queue needs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobRecord {
    /// From 1 to the header's `highest_job_id`.
    pub id: i64,
    /// The item that it is about, which may be gone: from 1 to the header's `highest_item_id`.
    pub item_id: i64,
    /// How far it is. One that is `running` waits again after an import.
    pub state: JobState,
    /// How often it was tried.
    pub attempts: i64,
    /// Not before this time, in microseconds since 1970.
    #[serde(with = "time")]
    pub run_at: i64,
    /// An object, as the work left it.
    #[serde(deserialize_with = "there")]
    pub result: Option<Box<RawValue>>,
    /// What went wrong at the last try.
    #[serde(deserialize_with = "there")]
    pub error: Option<String>,
    /// Microseconds since 1970.
    #[serde(with = "time")]
    pub created_at: i64,
    /// Microseconds since 1970.
    #[serde(with = "time")]
    pub updated_at: i64,
}

impl JobRecord {
    pub(super) fn check(&self, header: &Header) -> Result<(), String> {
        id(self.id, header.highest_job_id)?;
        within("item_id", self.item_id, 1, header.highest_item_id)?;
        within("attempts", self.attempts, 0, i32::MAX.into())?;
        match &self.result {
            Some(result) if !result.get().starts_with('{') => Err("result has to be an object or null".to_owned()),
            _ => Ok(()),
        }
    }
}
