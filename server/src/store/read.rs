//! Reading items and jobs.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select};

use super::{
    entity::{item, job},
    error::StoreError,
    handle::Store,
    model::{Item, Job, Status},
    page::{JobPage, Page},
};

impl Store {
    /// The item of this id, as of its last commit.
    pub(crate) async fn item(&self, id: i64) -> Result<Item, StoreError> {
        self.batch_read.item(id).await
    }

    /// The items of a page, and how many match its filter.
    pub(crate) async fn items(&self, page: &Page) -> Result<(Vec<Item>, u64), StoreError> {
        let (rows, total) = match &page.text {
            Some(text) => self.search(text, page).await?,
            None => (self.list(page).await?, self.total(page.status)),
        };
        Ok((rows.into_iter().map(Item::from).collect(), total))
    }

    async fn list(&self, page: &Page) -> Result<Vec<item::Model>, StoreError> {
        let mut query = item::Entity::find();
        if let Some(status) = page.status {
            query = query.filter(item::Column::Status.eq(status));
        }
        if let Some(id) = page.after {
            query = query.filter(if page.descending { item::Column::Id.lt(id) } else { item::Column::Id.gt(id) });
        }
        query =
            if page.descending { query.order_by_desc(item::Column::Id) } else { query.order_by_asc(item::Column::Id) };
        Ok(query.limit(page.limit).offset(page.skip).all(&self.reader).await?)
    }

    /// Counted at the start and kept by the writer since.
    fn total(&self, status: Option<Status>) -> u64 {
        let state = self.shared.state();
        let total: i64 = match status {
            Some(status) => state.counts.get(&status).copied().unwrap_or_default(),
            None => state.counts.values().sum(),
        };
        u64::try_from(total).unwrap_or_default()
    }

    pub(crate) async fn job(&self, id: i64) -> Result<Option<Job>, StoreError> {
        Ok(job::Entity::find_by_id(id).one(&self.reader).await?.map(Job::from))
    }

    /// The jobs of a page.
    pub(crate) async fn jobs(&self, page: &JobPage) -> Result<Vec<Job>, StoreError> {
        Ok(jobs(page).all(&self.reader).await?.into_iter().map(Job::from).collect())
    }
}

pub(super) fn jobs(page: &JobPage) -> Select<job::Entity> {
    use job::Column::{Id, ItemId, State};
    job::Entity::find()
        .apply_if(page.item_id, |query, id| query.filter(ItemId.eq(id)))
        .apply_if(page.state, |query, state| query.filter(State.eq(state)))
        .apply_if(page.before, |query, id| query.filter(Id.lt(id)))
        .order_by_desc(Id)
        .limit(page.limit)
}
