//! Items and jobs as the rest of the server and its clients see them.

use std::borrow::Cow;

use sea_orm::{DeriveActiveEnum, EnumIter, prelude::StringLen};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

/// What an item is at.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    EnumIter,
    DeriveActiveEnum,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(8))", rename_all = "snake_case")]
pub enum Status {
    /// In use.
    #[default]
    Active,
    /// Not in use.
    Inactive,
    /// To be decided.
    Pending,
}

impl Status {
    /// The names, for messages.
    pub(crate) const NAMES: &'static str = "active, inactive or pending";

    /// The status of this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "active" => Some(Self::Active),
            "inactive" => Some(Self::Inactive),
            "pending" => Some(Self::Pending),
            _ => None,
        }
    }
}

/// How far a job is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(8))", rename_all = "snake_case")]
pub enum JobState {
    /// Waits for its time.
    Queued,
    /// Is being worked on.
    Running,
    /// Has its result.
    Done,
    /// Was given up; its error says why.
    Failed,
}

impl JobState {
    /// The names, for messages.
    pub(crate) const NAMES: &'static str = "queued, running, done or failed";

    /// The state of this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Queued, Self::Running, Self::Done, Self::Failed].into_iter().find(|state| state.name() == name)
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// An item as clients see it.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub(crate) struct Item {
    pub(crate) id: i64,
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) status: Status,
    /// RFC 3339 in UTC.
    #[serde(serialize_with = "rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub(crate) created_at: i64,
    /// RFC 3339 in UTC.
    #[serde(serialize_with = "rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub(crate) updated_at: i64,
    /// Grows by one at every change.
    pub(crate) version: i64,
}

/// A job as clients see it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Job {
    pub(crate) id: i64,
    pub(crate) item_id: i64,
    pub(crate) state: JobState,
    /// How often it was tried.
    pub(crate) attempts: i64,
    /// The digest of the item's text.
    #[schema(value_type = Option<Object>)]
    pub(crate) result: Option<Box<RawValue>>,
    /// What went wrong at the last try.
    pub(crate) error: Option<String>,
    /// RFC 3339 in UTC.
    #[serde(serialize_with = "rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub(crate) created_at: i64,
    /// RFC 3339 in UTC.
    #[serde(serialize_with = "rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub(crate) updated_at: i64,
}

/// A valid item to be made.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NewItem {
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) status: Status,
}

/// A valid change: what is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Patch {
    pub(crate) title: Option<String>,
    pub(crate) description: Option<Option<String>>,
    pub(crate) status: Option<Status>,
}

impl Patch {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Which versions of an item a request is for (`If-Match`, RFC 9110 section 13.1.1).
pub(crate) struct Condition(Option<Box<dyn Fn(i64) -> bool + Send + Sync>>);

impl Condition {
    /// Whatever version there is.
    pub(crate) fn always() -> Self {
        Self(None)
    }

    /// Those for which this holds.
    pub(crate) fn of(versions: impl Fn(i64) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Box::new(versions)))
    }

    pub(crate) fn holds(&self, version: i64) -> bool {
        self.0.as_ref().is_none_or(|holds| holds(version))
    }
}

/// The entity tag of an item at a version.
pub(crate) fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

/// How an attempt at a job ended.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// With this result.
    Done(Box<RawValue>),
    /// It can't be done, ever.
    Failed(String),
    /// It went wrong, and is to be tried again at this time (microseconds since 1970), if it may.
    Again { error: String, at: i64 },
}

/// The jobs that were taken, each with the item that it is about, and when the next one is due.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub(crate) jobs: Vec<(Job, Option<Item>)>,
    pub(crate) next: Option<i64>,
}

/// A response that can be given again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) etag: Option<String>,
    pub(crate) body: String,
}

/// Microseconds since 1970.
pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}

/// A time as clients see it.
pub(crate) fn rfc3339<S: Serializer>(micros: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    let text = match jiff::Timestamp::from_microsecond(*micros) {
        // Always six digits, so that they sort as text.
        Ok(time) => Cow::Owned(format!("{time:.6}")),
        Err(_) => Cow::Borrowed("1970-01-01T00:00:00.000000Z"),
    };
    serializer.serialize_str(&text)
}
