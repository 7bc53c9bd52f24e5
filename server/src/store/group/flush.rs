//! What has changed, written back: one statement a table.

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, sea_query::OnConflict,
};

use super::{Group, STATEMENT_ROWS, index};
use crate::store::entity::{answer, item, job};

impl Group {
    pub(super) async fn flush_items(&mut self, transaction: &DatabaseTransaction) -> Result<(), DbErr> {
        use item::Column::{Description, Id, Rev, Status, Title, UpdatedAt, Version};
        let dirty = std::mem::take(&mut self.dirty);
        let rows: Vec<item::Model> = dirty.iter().filter_map(|id| self.item(*id).cloned()).collect();
        let mut same_id = OnConflict::column(Id);
        same_id.update_columns([Title, Description, Status, UpdatedAt, Version, Rev]);
        for rows in rows.chunks(STATEMENT_ROWS) {
            let rows = rows.iter().cloned().map(with_all_columns);
            item::Entity::insert_many(rows).on_conflict(same_id.clone()).exec_without_returning(transaction).await?;
        }
        Ok(())
    }

    pub(super) async fn flush(&mut self, transaction: &DatabaseTransaction) -> Result<(), DbErr> {
        self.flush_items(transaction).await?;
        for ids in self.deleted.chunks(STATEMENT_ROWS) {
            item::Entity::delete_many().filter(item::Column::Id.is_in(ids.iter().copied())).exec(transaction).await?;
            index::forget(transaction, ids).await?;
        }
        for rows in self.jobs.chunks(STATEMENT_ROWS) {
            let rows = rows.iter().cloned().map(|row| row.into_active_model().reset_all());
            job::Entity::insert_many(rows).exec_without_returning(transaction).await?;
        }
        self.flush_answers(transaction).await
    }

    async fn flush_answers(&mut self, transaction: &DatabaseTransaction) -> Result<(), DbErr> {
        if self.new_answers.is_empty() {
            return Ok(());
        }
        let old = answer::Column::CreatedAt.lt(self.oldest_answer());
        answer::Entity::delete_many().filter(old).exec(transaction).await?;
        let rows = std::mem::take(&mut self.new_answers);
        let rows = rows.into_iter().map(|row| row.into_active_model().reset_all());
        answer::Entity::insert_many(rows).exec_without_returning(transaction).await?;
        Ok(())
    }
}

fn with_all_columns(row: item::Model) -> item::ActiveModel {
    let item::Model { id, title, description, status, created_at, updated_at, version, rev } = row;
    item::ActiveModel {
        id: Set(id),
        title: Set(title),
        description: Set(description),
        status: Set(status),
        created_at: Set(created_at),
        updated_at: Set(updated_at),
        version: Set(version),
        rev: Set(rev),
    }
}
