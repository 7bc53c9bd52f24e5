//! The HTTP side: one file a resource, and the table of all routes.

mod admin;
mod admin_answer;
mod answer;
mod connection;
mod context;
mod docs;
pub(crate) mod doorkeeper;
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
pub(crate) mod redirect;
mod request;
mod rooms;
pub(crate) mod serve;
mod streams;
mod tickets;

use std::sync::Arc;

use warp::{filters::BoxedFilter, reply::Response};

pub(crate) use context::Context;
pub(crate) use idempotency::Keys;

use crate::{
    base_path::BasePath,
    gate::Gate,
    limits::limiter::Limiter,
    route::{self, Route},
};

/// Every route of the server, and the one for WebSockets. What is asked for most stands first.
pub(crate) fn routes(
    gate: Gate,
    limiter: Arc<Limiter>,
    base: BasePath,
    context: &Arc<Context>,
    sockets: Route,
) -> BoxedFilter<(Response,)> {
    let mut all = vec![sockets];
    all.extend(events::routes(context));
    all.extend(items::routes(context));
    all.extend(jobs::routes(context));
    all.extend(rooms::routes(context));
    all.extend(health::routes(context));
    all.extend(ice_servers::routes(context));
    all.extend(tickets::routes(context));
    all.extend(admin::routes(context));
    all.extend(docs::routes());
    all.extend(page::routes(context));
    route::table(gate, limiter, base, all)
}
