//! The HTTP side: one file a resource, and the table of all routes.

mod answer;
mod context;
mod docs;
mod etag;
mod events;
mod health;
mod ice_servers;
mod idempotency;
mod item_answer;
mod item_body;
mod item_list;
mod item_schema;
mod items;
mod jobs;
mod message;
mod page;
mod request;
mod rooms;
pub(crate) mod serve;

use std::sync::Arc;

use warp::{filters::BoxedFilter, reply::Response};

pub(crate) use context::Context;
pub(crate) use idempotency::Keys;

use crate::{
    base_path::BasePath,
    gate::Gate,
    route::{self, Route},
};

/// Every route of the server, and the one for WebSockets. What is asked for most stands first.
pub(crate) fn routes(gate: Gate, base: BasePath, context: &Arc<Context>, sockets: Route) -> BoxedFilter<(Response,)> {
    let mut all = vec![sockets];
    all.extend(events::routes(context));
    all.extend(items::routes(context));
    all.extend(jobs::routes(context));
    all.extend(rooms::routes(context));
    all.extend(health::routes(context));
    all.extend(ice_servers::routes(context));
    all.extend(docs::routes());
    all.extend(page::routes(context));
    route::table(gate, base, all)
}
