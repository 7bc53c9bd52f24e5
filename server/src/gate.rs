//! Who may come in: the one gate that every request passes, HTTP and WebSocket alike, on its way to the handler of its
//! route.
//!
//! It judges by `Host` (RFC 9112 section 3.2), which has to name this machine while the server listens on loopback alone
//! (DNS rebinding), and by `Origin` (RFC 6454). The same rule holds for pages that read the API (CORS) and for pages that
//! open a WebSocket, which browsers let through from anywhere. A client that is no browser sends no `Origin`.

mod cors;
mod head;
mod refusal;

use hyper::header::{HOST, HeaderValue, ORIGIN};
use tokio_util::sync::CancellationToken;
use tracing::warn;

pub(crate) use self::{
    cors::{allow_reading, is_preflight, preflight},
    head::Head,
};
use crate::{
    error::ApiError,
    origin::{Origin, host_and_port, is_loopback},
    telemetry::Occasional,
};

/// What a route needs of who asks. Each route states it where it is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing at all: health checks ask from anywhere, by any name.
    Nothing,
    /// Nothing but a name of this server. What everybody may read, whatever page it is for.
    Public,
    /// To be let in.
    Entry,
    /// Reading items, jobs and their events.
    ItemsRead,
    /// Changing items and jobs.
    ItemsWrite,
    /// The list of rooms.
    List,
    /// The room that the path names.
    Room,
}

/// What is known of who was let in.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The page that asks, which may read the answer.
    pub(crate) origin: Option<HeaderValue>,
}

/// A proxy that is set up wrong refuses everybody: the first lines tell an operator all there is.
static REFUSED: Occasional = Occasional::new();

/// Lets in or refuses.
pub(crate) struct Gate {
    allowed: Vec<Origin>,
    /// The server listens on loopback alone.
    loopback: bool,
    /// Cancelled once the server stops.
    stop: CancellationToken,
}

impl Gate {
    pub(crate) fn new(allowed: Vec<Origin>, loopback: bool, stop: CancellationToken) -> Self {
        Self { allowed, loopback, stop }
    }

    /// Whether a request may go on to a route with these needs.
    ///
    /// # Errors
    /// The answer, when it goes no further: it says what was compared with what.
    pub(crate) fn check(&self, head: &Head, needs: Needs) -> Result<Identity, ApiError> {
        if needs == Needs::Nothing {
            return Ok(Identity::default());
        }
        let host = head.headers.get(HOST).and_then(|host| host.to_str().ok());
        let named = || host.and_then(host_and_port).is_some_and(|(host, _)| is_loopback(&host));
        if self.loopback && !named() {
            return Err(Self::refuse(refusal::host(host)));
        }
        if self.stop.is_cancelled() {
            return Err(ApiError::unavailable("stopping", "the server is stopping"));
        }
        match head.headers.get(ORIGIN) {
            None => Ok(Identity::default()),
            Some(origin) if self.lets_in(origin, host) => Ok(Identity { origin: Some(origin.clone()) }),
            // A page's own scripts are asked for with an origin too, and a proxy may have given the host another port.
            Some(_) if needs == Needs::Public && !is_preflight(head) => Ok(Identity::default()),
            Some(origin) => Err(Self::refuse(refusal::origin(origin, host, &self.allowed))),
        }
    }

    /// Tells the log as well, as long as it is not too often.
    fn refuse(error: ApiError) -> ApiError {
        if let Some(left_out) = REFUSED.now() {
            warn!(reason = error.detail(), log.left_out = left_out, "a request was refused");
        }
        error
    }

    fn lets_in(&self, origin: &HeaderValue, host: Option<&str>) -> bool {
        let Some(origin) = origin.to_str().ok().and_then(|text| text.parse::<Origin>().ok()) else { return false };
        host.is_some_and(|host| origin.is_at(host))
            || self.allowed.contains(&origin)
            || (self.loopback && origin.is_loopback())
    }
}

#[cfg(test)]
mod tests;
