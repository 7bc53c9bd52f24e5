//! Who may have a connection: as many as there may be in all, and for each address; and whose it is.

use std::sync::Arc;

use hyper::HeaderMap;
use tokio::time::timeout;
use tracing::{debug, warn};

use crate::{
    client_address::{Address, Proxies, proxy_header},
    connection_limit::{ConnectionLimit, Slot},
    error::ApiError,
    limits::{
        HEADER_TIMEOUT, Limit, Values,
        limiter::{Limiter, TooManyConnections},
    },
    listen::{Remote, Wire},
    metrics::Metrics,
    telemetry::Occasional,
};

/// Lets connections in, each with a slot.
pub(crate) struct Doorkeeper {
    slots: ConnectionLimit,
    proxies: Proxies,
    limiter: Arc<Limiter>,
    metrics: Arc<Metrics>,
}

static REFUSED: Occasional = Occasional::new();
static NO_HEADER: Occasional = Occasional::new();

impl Doorkeeper {
    pub(crate) fn new(values: &Values, proxies: Proxies, limiter: Arc<Limiter>, metrics: Arc<Metrics>) -> Self {
        Self { slots: ConnectionLimit::new(values.most(Limit::Connections)), proxies, limiter, metrics }
    }

    /// One that counts nobody, for so many connections.
    #[cfg(test)]
    pub(crate) fn none(connections: usize) -> Self {
        let slots = ConnectionLimit::new(connections);
        Self { slots, proxies: Proxies::default(), limiter: Limiter::none(), metrics: Arc::new(Metrics::new()) }
    }

    /// What it counts.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// How many connections are open.
    pub(crate) fn connections(&self) -> usize {
        self.slots.taken()
    }

    /// A slot for a connection, whoever it is.
    ///
    /// # Errors
    /// 503 when all are taken.
    pub(crate) fn slot(&self) -> Result<Slot, ApiError> {
        self.slots.take().ok_or_else(|| {
            self.metrics.limited.inc(Limit::Connections);
            ApiError::unavailable("overloaded", "the server has no room for more connections (--max-connections)")
        })
    }

    /// Hears whose connection it is, where a proxy has to say so first.
    pub(crate) async fn introduced(&self, wire: &mut Wire, remote: Remote) -> Option<Remote> {
        if !self.proxies.introduces(remote) {
            return Some(remote);
        }
        match timeout(HEADER_TIMEOUT, proxy_header::read(wire)).await {
            Ok(Ok(named)) => Some(named.map_or(remote, |ip| remote.for_client(ip))),
            ended => {
                if let Some(left_out) = NO_HEADER.now() {
                    let error = ended.err().map_or("no PROXY header".to_owned(), |late| late.to_string());
                    warn!(
                        error,
                        log.left_out = left_out,
                        "a trusted proxy began a connection without saying whose it is"
                    );
                }
                None
            }
        }
    }

    /// The slot of a connection, counted for its address: not for that of a proxy, which is many clients'.
    ///
    /// # Errors
    /// 429 when the address has too many, or opens too many in a short time.
    pub(crate) fn admit(&self, remote: Remote, slot: Slot) -> Result<Slot, ApiError> {
        if self.proxies.is_shared(remote) {
            return Ok(slot);
        }
        Ok(slot.and(self.limiter.connect(Proxies::connection(remote))?))
    }

    /// Whose request it is, and the slot that it holds as long as it is under way: behind a proxy that of its client, unless
    /// that has too many under way.
    pub(crate) fn request(
        &self,
        remote: Remote,
        headers: &HeaderMap,
        slot: &Slot,
    ) -> (Address, Result<Slot, TooManyConnections>) {
        let address = self.proxies.client(remote, headers);
        let held = if self.proxies.is_shared(remote) { self.limiter.hold(address) } else { Ok(None) };
        (address, held.map(|held| slot.clone().and(held)))
    }

    /// Says in the log that somebody got no connection, and why.
    pub(crate) fn refused(remote: Remote, id: crate::request_id::RequestId, error: &ApiError) {
        match REFUSED.now() {
            Some(left_out) => {
                warn!(request.id = %id, client.address = %remote, http.status = error.status().as_u16(), log.left_out = left_out, "a connection was refused: {}", error.detail());
            }
            None => debug!(request.id = %id, "a connection was refused"),
        }
    }
}
