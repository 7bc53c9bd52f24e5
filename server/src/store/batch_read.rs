//! Reading single items. What waits together is read with one statement: the way to the database and back costs more
//! than the reading.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter};
use tokio::sync::{mpsc, oneshot};

use super::{entity::item, error::StoreError, model::Item};

/// Requests that may wait.
const QUEUE: usize = 1_024;
/// Items that are read at a time.
const TOGETHER: usize = 64;

struct Lookup {
    id: i64,
    reply: oneshot::Sender<Result<Item, StoreError>>,
}

/// Where requests are put in.
#[derive(Clone)]
pub(super) struct Handle(mpsc::Sender<Lookup>);

pub(super) fn start(database: DatabaseConnection) -> Handle {
    let (sender, receiver) = mpsc::channel(QUEUE);
    tokio::spawn(run(database, receiver));
    Handle(sender)
}

impl Handle {
    /// Waits for the end of the task that reads.
    pub(super) async fn ended(&self) {
        self.0.closed().await;
    }

    /// The item of this id, as of its last commit.
    pub(super) async fn item(&self, id: i64) -> Result<Item, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.0.send(Lookup { id, reply }).await.map_err(|_| StoreError::Stopping)?;
        answer.await.map_err(|_| StoreError::Stopping)?
    }
}

async fn run(database: DatabaseConnection, mut requests: mpsc::Receiver<Lookup>) {
    let mut waiting = Vec::with_capacity(TOGETHER);
    while requests.recv_many(&mut waiting, TOGETHER).await > 0 {
        match read(&database, &waiting).await {
            Ok(items) => {
                for Lookup { id, reply } in waiting.drain(..) {
                    // A client that no longer waits needs no answer.
                    let _ = reply.send(items.get(&id).cloned().ok_or(StoreError::NotFound(id)));
                }
            }
            Err(error) => {
                let error = std::sync::Arc::new(error);
                for Lookup { reply, .. } in waiting.drain(..) {
                    let _ = reply.send(Err(StoreError::Unavailable(error.clone())));
                }
            }
        }
    }
}

async fn read(database: &DatabaseConnection, requests: &[Lookup]) -> Result<HashMap<i64, Item>, sea_orm::DbErr> {
    // A few numbers of parameters, so that the prepared statements are few as well. No LIMIT: SQLite plans a statement
    // with a bound limit anew each time.
    let places = requests.len().next_power_of_two();
    let ids = requests.iter().chain(requests.iter().cycle()).map(|request| request.id).take(places);
    let rows = item::Entity::find().filter(item::Column::Id.is_in(ids)).all(database).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.into())).collect())
}
