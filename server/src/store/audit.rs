//! Reading what administrators have done.

use jiff::Timestamp;
use sea_orm::{ConnectionTrait, DbErr, QueryResult};

use super::{
    administration::{self, Ban, Entry, Revocation},
    error::StoreError,
    handle::Store,
    sql::statement,
};

impl Store {
    /// The last deeds, the newest first.
    pub(crate) async fn audit(&self, limit: u64) -> Result<Vec<Entry>, StoreError> {
        let sql = "SELECT who, what, whom, at FROM audit ORDER BY id DESC LIMIT ?";
        let rows = self.reader.query_all_raw(statement(&self.reader, sql, vec![limit.into()])).await?;
        Ok(rows.iter().map(entry).collect::<Result<_, _>>()?)
    }

    /// All that is revoked.
    pub(crate) async fn revocations(&self) -> Result<Vec<Revocation>, StoreError> {
        let rows = administration::revoked(&self.reader).await?;
        Ok(rows.into_iter().map(|(kind, name, at)| (kind, name, time(at))).collect())
    }

    /// The bans that are not over, in the order in which they were made.
    pub(crate) async fn bans(&self) -> Result<Vec<Ban>, StoreError> {
        let sql = "SELECT room, peer, sub, until FROM bans WHERE until > ? ORDER BY id";
        let now = Timestamp::now().as_microsecond();
        let rows = self.reader.query_all_raw(statement(&self.reader, sql, vec![now.into()])).await?;
        Ok(rows.iter().map(ban).collect::<Result<_, _>>()?)
    }
}

fn entry(row: &QueryResult) -> Result<Entry, DbErr> {
    Ok(Entry {
        who: row.try_get_by_index(0)?,
        what: row.try_get_by_index(1)?,
        whom: row.try_get_by_index(2)?,
        at: time(row.try_get_by_index(3)?),
    })
}

fn ban(row: &QueryResult) -> Result<Ban, DbErr> {
    Ok(Ban {
        room: row.try_get_by_index(0)?,
        peer: row.try_get_by_index(1)?,
        sub: row.try_get_by_index(2)?,
        until: time(row.try_get_by_index(3)?),
    })
}

/// A time of the database, in microseconds since 1970.
fn time(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or_default()
}
