//! What administrators have done, which tokens they have revoked, and whom they have sent away for a while.

use jiff::Timestamp;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, QueryResult};

use super::sql::statement;

/// Entries of the audit that are kept; the oldest go first.
const ENTRIES: i64 = 100_000;

/// One thing that an administrator does.
#[derive(Clone, Debug)]
pub(crate) struct Deed {
    /// The `sub` of the token, if it had one.
    pub(crate) who: Option<String>,
    /// What was done: one word.
    pub(crate) what: &'static str,
    /// To whom.
    pub(crate) whom: String,
}

/// What a deed leaves behind, beside its entry.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    Nothing,
    /// Tokens of this kind of name, `sub` or `jti`, and this name are dead.
    Revoked(&'static str, String),
    Banned(Ban),
}

/// Who may not come into a room until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ban {
    pub(crate) room: String,
    pub(crate) peer: String,
    /// Whoever it was, under whatever peer id.
    pub(crate) sub: Option<String>,
    pub(crate) until: Timestamp,
}

/// What the audit has of one.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) who: Option<String>,
    pub(crate) what: String,
    pub(crate) whom: String,
    pub(crate) at: Timestamp,
}

/// A revocation as it is kept: `sub` or `jti`, its value, and up to when tokens are dead by it.
pub(crate) type Revocation = (String, String, Timestamp);

/// Writes down a deed, and what it leaves behind.
pub(super) async fn record(
    transaction: &DatabaseTransaction,
    deed: &Deed,
    effect: &Effect,
    now: i64,
) -> Result<(), DbErr> {
    let values = vec![now.into(), deed.who.clone().into(), deed.what.into(), deed.whom.clone().into()];
    let sql = "INSERT INTO audit (at, who, what, whom) VALUES (?, ?, ?, ?)";
    transaction.execute_raw(statement(transaction, sql, values)).await?;
    let sql = "DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?";
    transaction.execute_raw(statement(transaction, sql, vec![ENTRIES.into()])).await?;
    match effect {
        Effect::Nothing => Ok(()),
        Effect::Revoked(kind, name) => revoke(transaction, kind, name, now).await,
        Effect::Banned(ban) => keep_out(transaction, ban, now).await,
    }
}

/// Keeps a ban, and forgets those that are over.
async fn keep_out(transaction: &DatabaseTransaction, ban: &Ban, now: i64) -> Result<(), DbErr> {
    let sql = "DELETE FROM bans WHERE until <= ?";
    transaction.execute_raw(statement(transaction, sql, vec![now.into()])).await?;
    let Ban { room, peer, sub, until } = ban.clone();
    let values = vec![room.into(), peer.into(), sub.into(), until.as_microsecond().into()];
    let sql = "INSERT INTO bans (room, peer, sub, until) VALUES (?, ?, ?, ?)";
    transaction.execute_raw(statement(transaction, sql, values)).await?;
    Ok(())
}

/// Tokens of this `sub` or with this `jti` are dead that were issued up to this time.
pub(super) async fn revoke(transaction: &DatabaseTransaction, kind: &str, name: &str, at: i64) -> Result<(), DbErr> {
    let sql = "INSERT INTO revocations (kind, name, at) VALUES (?, ?, ?)
               ON CONFLICT (kind, name) DO UPDATE SET at = max(at, excluded.at)";
    transaction.execute_raw(statement(transaction, sql, vec![kind.into(), name.into(), at.into()])).await?;
    Ok(())
}

/// All that is revoked: kind, name, time.
pub(super) async fn revoked(database: &impl ConnectionTrait) -> Result<Vec<(String, String, i64)>, DbErr> {
    let sql = "SELECT kind, name, at FROM revocations";
    let rows = database.query_all_raw(statement(database, sql, vec![])).await?;
    let read = |row: &QueryResult| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?));
    rows.iter().map(read).collect()
}
