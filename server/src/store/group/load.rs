//! What the requests of a transaction touch, loaded before they are done.

use std::collections::{BTreeSet, HashMap};

use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter};

use super::{Group, STATEMENT_ROWS};
use crate::store::{
    entity::{answer, item},
    model::now,
    request::Op,
    sequence,
    shared::Shared,
};

impl Group {
    pub(super) async fn load(transaction: &DatabaseTransaction, shared: &Shared, ops: &[Op]) -> Result<Self, DbErr> {
        let (rev, indexed) = {
            let state = shared.state();
            (state.rev, state.indexed)
        };
        let mut group = Self {
            now: now(),
            items: HashMap::new(),
            dirty: BTreeSet::new(),
            deleted: Vec::new(),
            jobs: Vec::new(),
            queued: false,
            answers: HashMap::new(),
            new_answers: Vec::new(),
            next_item: 0,
            next_job: 0,
            rev,
            committed: rev,
            indexed,
            changes: Vec::new(),
            counts: HashMap::new(),
        };
        let ids = ops.iter().flat_map(Op::items).copied().collect();
        group.load_items(transaction, ids).await?;
        if ops.iter().any(|op| matches!(op, Op::Create { .. } | Op::Process { .. })) {
            (group.next_item, group.next_job) = sequence::highest(transaction).await?;
        }
        let keys: Vec<&str> = ops.iter().filter_map(Op::key).collect();
        if !keys.is_empty() {
            let rows = answer::Entity::find().filter(answer::Column::Key.is_in(keys)).all(transaction).await?;
            let oldest = group.oldest_answer();
            let known = rows.into_iter().filter(|row| row.created_at >= oldest);
            group.answers = known.map(|row| (row.key.clone(), row)).collect();
        }
        Ok(group)
    }

    pub(super) async fn load_items(
        &mut self,
        transaction: &DatabaseTransaction,
        mut ids: Vec<i64>,
    ) -> Result<(), DbErr> {
        ids.retain(|id| !self.items.contains_key(id));
        ids.sort_unstable();
        ids.dedup();
        for ids in ids.chunks(STATEMENT_ROWS) {
            self.items.extend(ids.iter().map(|id| (*id, None)));
            let found =
                item::Entity::find().filter(item::Column::Id.is_in(ids.iter().copied())).all(transaction).await?;
            self.items.extend(found.into_iter().map(|row| (row.id, Some(row))));
        }
        Ok(())
    }
}
