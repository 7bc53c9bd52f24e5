//! What is done for a job.

use std::sync::Arc;

use futures_util::{FutureExt, future::BoxFuture};
use serde_json::value::RawValue;

use super::{digest::digest, webhook::Webhook};
use crate::{
    limits::DELIVERIES,
    store::model::{Item, Job},
};

/// Digests at a time: between two looks at the database.
const DIGESTS: usize = 64;

/// A result as JSON, or what went wrong.
pub(crate) type Done = Result<Box<RawValue>, String>;

/// What is done for a job with its item, and for how many of them at a time. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Work {
    pub(crate) at_a_time: usize,
    perform: Arc<dyn Fn(Job, Item) -> BoxFuture<'static, Done> + Send + Sync>,
}

impl Work {
    /// The digest of the item's text, which is delivered where there is a webhook.
    pub(crate) fn new(webhook: Option<Webhook>) -> Self {
        match webhook.map(Arc::new) {
            None => Self::of(DIGESTS, |_, item| async move { digest(&item) }),
            Some(webhook) => Self::of(DELIVERIES, move |job, item| {
                let webhook = webhook.clone();
                async move {
                    let result = digest(&item)?;
                    webhook.deliver(&job, &item, &result).await?;
                    Ok(result)
                }
            }),
        }
    }

    /// Any work.
    pub(crate) fn of<F>(at_a_time: usize, perform: impl Fn(Job, Item) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Done> + Send + 'static,
    {
        Self { at_a_time, perform: Arc::new(move |job, item| perform(job, item).boxed()) }
    }

    pub(crate) async fn perform(&self, job: Job, item: Item) -> Done {
        (self.perform)(job, item).await
    }
}
