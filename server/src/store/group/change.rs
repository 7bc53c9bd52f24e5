//! What requests do to items, in memory.

use std::collections::BTreeSet;

use super::Group;
use crate::store::{
    entity::{item, job},
    error::StoreError,
    events::Change,
    model::{Condition, Item, Job, JobState, NewItem, Patch, Status},
};

impl Group {
    pub(super) fn create(&mut self, new: NewItem) -> Item {
        self.next_item += 1;
        self.rev += 1;
        let (id, now) = (self.next_item, self.now);
        let NewItem { title, description, status } = new;
        let row =
            item::Model { id, title, description, status, created_at: now, updated_at: now, version: 1, rev: self.rev };
        *self.counts.entry(status).or_default() += 1;
        let item = Item::from(row.clone());
        self.items.insert(id, Some(row));
        self.dirty.insert(id);
        self.changes.push(Change::Created(item.clone()));
        item
    }

    /// The item, if it is there and the request is for the version that it has.
    fn existing(&self, id: i64, condition: &Condition) -> Result<&item::Model, StoreError> {
        let row = self.item(id).ok_or(StoreError::NotFound(id))?;
        if condition.holds(row.version) { Ok(row) } else { Err(StoreError::Changed { id, version: row.version }) }
    }

    pub(super) fn update(&mut self, id: i64, patch: Patch, condition: &Condition) -> Result<Item, StoreError> {
        let row = self.existing(id, condition)?.clone();
        if patch.is_empty() {
            return Ok(row.into());
        }
        Ok(self.change(row, patch))
    }

    fn change(&mut self, mut row: item::Model, patch: Patch) -> Item {
        let before = row.status;
        let Patch { title, description, status } = patch;
        row.title = title.unwrap_or(row.title);
        row.description = description.unwrap_or(row.description);
        row.status = status.unwrap_or(row.status);
        self.rev += 1;
        row.rev = self.rev;
        row.version += 1;
        // A clock that was set back does not make an item older than it was.
        row.updated_at = self.now.max(row.updated_at);
        *self.counts.entry(before).or_default() -= 1;
        *self.counts.entry(row.status).or_default() += 1;
        let item = Item::from(row.clone());
        self.dirty.insert(row.id);
        self.items.insert(row.id, Some(row));
        self.changes.push(Change::Updated(item.clone()));
        item
    }

    pub(super) fn delete(&mut self, id: i64, condition: &Condition) -> Result<(), StoreError> {
        let status = self.existing(id, condition)?.status;
        *self.counts.entry(status).or_default() -= 1;
        // A search that began before this must not remember what it counted.
        self.rev += 1;
        self.items.insert(id, None);
        self.dirty.remove(&id);
        self.deleted.push(id);
        self.changes.push(Change::Deleted(id));
        Ok(())
    }

    /// Gives the items that there are this status, and says how many they are.
    pub(super) fn set_status(&mut self, ids: &[i64], status: Status) -> usize {
        let ids: BTreeSet<i64> = ids.iter().copied().collect();
        let rows: Vec<item::Model> = ids.iter().filter_map(|id| self.item(*id).cloned()).collect();
        let count = rows.len();
        for row in rows.into_iter().filter(|row| row.status != status) {
            self.change(row, Patch { status: Some(status), ..Patch::default() });
        }
        count
    }

    pub(super) fn process(&mut self, id: i64) -> Result<Job, StoreError> {
        self.existing(id, &Condition::always())?;
        self.next_job += 1;
        let row = job::Model {
            id: self.next_job,
            item_id: id,
            state: JobState::Queued,
            attempts: 0,
            run_at: self.now,
            result: None,
            error: None,
            created_at: self.now,
            updated_at: self.now,
        };
        let job = Job::from(row.clone());
        self.jobs.push(row);
        self.queued = true;
        Ok(job)
    }
}
