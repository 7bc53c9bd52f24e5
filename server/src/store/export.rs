//! All items, jobs and revocations as lines, of one moment.

use std::io::Write;

use anyhow::{Context, anyhow, ensure};
use futures_util::TryStreamExt as _;
use sea_orm::{DatabaseTransaction, EntityTrait, QueryOrder, TransactionTrait};
use serde_json::value::RawValue;

use super::{
    administration,
    entity::{item, job},
    model::now,
    reading::{self, unreadable},
    schema, sequence,
};
use crate::transfer::{Counts, Header, ItemRecord, JobRecord, RevocationRecord, Writer};

/// Writes what the database at a `sqlite:` URL has, as one transaction sees it, one row in memory at a time. `tell` hears
/// how far it is.
///
/// # Errors
/// When the database can't be read, is of another version, or `out` can't be written.
pub(crate) async fn export<W: Write>(url: &str, out: W, tell: impl FnMut(Counts)) -> anyhow::Result<(W, Counts)> {
    let database = reading::open(url).await?;
    schema::check(&database).await?;
    let (steps, known) = (schema::steps(&database).await?, schema::known());
    ensure!(
        steps.len() == known.len(),
        "its schema is at {}, an older version's: grtc-server migrate brings it up to date, and so does a start",
        steps.last().map_or("nothing", String::as_str)
    );
    let transaction = database.begin().await.map_err(unreadable)?;
    let written = write(&transaction, out, tell).await?;
    transaction.commit().await?;
    database.close().await?;
    Ok(written)
}

async fn write<W: Write>(
    transaction: &DatabaseTransaction,
    out: W,
    mut tell: impl FnMut(Counts),
) -> anyhow::Result<(W, Counts)> {
    let (items, jobs) = sequence::highest(transaction).await.map_err(unreadable)?;
    let cant = "the export can't be written";
    let mut writer = Writer::begin(out, &Header::new(now(), items, jobs)).context(cant)?;
    let mut rows = item::Entity::find().order_by_asc(item::Column::Id).stream(transaction).await.map_err(unreadable)?;
    while let Some(row) = rows.try_next().await.map_err(unreadable)? {
        writer.item(&ItemRecord::from(row)).context(cant)?;
        tell(writer.counts());
    }
    drop(rows);
    let mut rows = job::Entity::find().order_by_asc(job::Column::Id).stream(transaction).await.map_err(unreadable)?;
    while let Some(row) = rows.try_next().await.map_err(unreadable)? {
        writer.job(&JobRecord::try_from(row)?).context(cant)?;
        tell(writer.counts());
    }
    drop(rows);
    let mut revoked = administration::revoked(transaction).await.map_err(unreadable)?;
    revoked.sort_unstable();
    for (kind, name, at) in revoked {
        writer.revocation(&RevocationRecord { kind, name, at }).context(cant)?;
    }
    writer.end().context(cant)
}

impl From<item::Model> for ItemRecord {
    fn from(row: item::Model) -> Self {
        let item::Model { id, title, description, status, created_at, updated_at, version, rev: _ } = row;
        Self { id, title, description, status, created_at, updated_at, version }
    }
}

impl TryFrom<job::Model> for JobRecord {
    type Error = anyhow::Error;

    fn try_from(row: job::Model) -> anyhow::Result<Self> {
        let job::Model { id, item_id, state, attempts, run_at, result, error, created_at, updated_at } = row;
        // A line feed within JSON stands between its parts, and a record is one line.
        let result = result.map(|json| RawValue::from_string(json.replace(['\n', '\r'], " "))).transpose();
        let result = result.map_err(|error| anyhow!("the result of job {id} is no JSON: {error}"))?;
        Ok(Self { id, item_id, state, attempts, run_at, result, error, created_at, updated_at })
    }
}
