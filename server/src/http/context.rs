//! What the handlers share.

use std::{path::PathBuf, sync::Arc, time::Instant};

use hyper::Method;
use tokio_util::sync::CancellationToken;

use super::idempotency::Keys;
use crate::{
    auth::Auth, budget::Budget, gate::Needs, hub::registry::Registry, ice::IceServers, metrics::Metrics, store::Store,
};

/// What the handlers need.
pub(crate) struct Context {
    pub(crate) store: Store,
    pub(crate) registry: Registry,
    pub(crate) ice: IceServers,
    /// The folder of the page, where it is not the binary's.
    pub(crate) web_dir: Option<PathBuf>,
    /// The memory for answers that are not read yet.
    pub(crate) budget: Budget,
    /// The idempotency keys of requests that are under way.
    pub(crate) keys: Keys,
    /// Who gives tickets; nobody where nobody needs one.
    pub(crate) auth: Option<Auth>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) stop: CancellationToken,
    pub(crate) started: Instant,
}

/// What items and jobs need.
pub(super) fn items_need<P>(method: &Method, _path: &P) -> Needs {
    match *method {
        Method::GET | Method::HEAD => Needs::ItemsRead,
        _ => Needs::ItemsWrite,
    }
}
