//! What of the limits is counted for each caller: its connections, and its rates.

use std::{sync::Arc, time::Duration};

use grtc_protocol::CloseCode;
use hyper::{
    StatusCode,
    header::{HeaderValue, RETRY_AFTER},
};
use tokio::time::interval;

use super::{
    holdings::{Held, Holdings},
    keyed::Keyed,
    table::Limit,
    values::Values,
};
use crate::{client_address::Address, error::ApiError, metrics::Metrics};

/// How often it is forgotten who has nothing on the account any more.
const FORGET: Duration = Duration::from_secs(1);

/// Counts callers, and refuses those that go beyond a limit.
pub(crate) struct Limiter {
    connections: Holdings,
    connects: Keyed,
    joins: Keyed,
    requests: Keyed,
    writes: Keyed,
    metrics: Arc<Metrics>,
}

/// Who asks: counted by the `sub` of a token, or else by address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller<'a> {
    pub(crate) address: Address,
    pub(crate) sub: Option<&'a str>,
}

#[derive(Hash)]
enum Key<'a> {
    Address(Address),
    Sub(&'a str),
}

/// An address has as many connections as it may have. It travels with a request to where it is refused in the way of its route.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TooManyConnections;

impl From<TooManyConnections> for ApiError {
    fn from(_: TooManyConnections) -> Self {
        let text = "this address has as many connections as it may have (--max-connections-per-address)";
        too_many("too_many_connections", text, Duration::ZERO)
    }
}

impl<'a> Caller<'a> {
    /// What it is counted by; nothing for this machine itself.
    fn key(self) -> Option<Key<'a>> {
        match (self.sub, self.address) {
            (Some(sub), _) => Some(Key::Sub(sub)),
            (None, Address::Loopback) => None,
            (None, address) => Some(Key::Address(address)),
        }
    }
}

impl Limiter {
    pub(crate) fn new(values: &Values, metrics: Arc<Metrics>) -> Self {
        let keyed = |limit| Keyed::new(values.rate(limit));
        Self {
            connections: Holdings::new(values.most(Limit::ConnectionsPerAddress)),
            connects: keyed(Limit::ConnectRate),
            joins: keyed(Limit::JoinRate),
            requests: keyed(Limit::RequestRate),
            writes: keyed(Limit::WriteRate),
            metrics,
        }
    }

    /// Refuses nobody.
    #[cfg(test)]
    pub(crate) fn none() -> Arc<Self> {
        Arc::new(Self::new(&Values::none(), Arc::new(Metrics::new())))
    }

    /// A new connection from this address. What comes back is to be held until it ends.
    ///
    /// # Errors
    /// 429 when there are too many of them, or too many in a short time.
    pub(crate) fn connect(&self, address: Address) -> Result<Option<Held>, ApiError> {
        if address == Address::Loopback {
            return Ok(None);
        }
        self.connects.take(address).map_err(|wait| self.refuse(Limit::ConnectRate, wait))?;
        Ok(self.hold(address)?)
    }

    /// As many connections as this address may have at a time, of which this is one.
    ///
    /// # Errors
    /// When it has them all.
    pub(crate) fn hold(&self, address: Address) -> Result<Option<Held>, TooManyConnections> {
        if address == Address::Loopback {
            return Ok(None);
        }
        self.connections.take(address).map(Some).ok_or_else(|| {
            self.metrics.limited.inc(Limit::ConnectionsPerAddress);
            TooManyConnections
        })
    }

    /// A request, which may be one that changes something.
    ///
    /// # Errors
    /// 429 when there are too many in a short time.
    pub(crate) fn request(&self, caller: Caller<'_>, is_write: bool) -> Result<(), ApiError> {
        if let Some(key) = caller.key() {
            self.requests.take(&key).map_err(|wait| self.refuse(Limit::RequestRate, wait))?;
            if is_write {
                self.writes.take(&key).map_err(|wait| self.refuse(Limit::WriteRate, wait))?;
            }
        }
        Ok(())
    }

    /// A WebSocket that is asked for.
    ///
    /// # Errors
    /// The code to close it with.
    pub(crate) fn join(&self, caller: Caller<'_>) -> Result<(), CloseCode> {
        let Some(key) = caller.key() else { return Ok(()) };
        self.joins.take(key).map_err(|_| {
            self.metrics.limited.inc(Limit::JoinRate);
            CloseCode::RateLimit
        })
    }

    /// What somebody gets who asks for a WebSocket too often and in a way that leads to none.
    pub(crate) fn too_often() -> ApiError {
        too_many("rate_limited", "there are too many requests for a WebSocket: try again later", Duration::ZERO)
    }

    /// Forgets for ever who has nothing on the account any more.
    pub(crate) async fn keep(self: Arc<Self>) {
        let mut ticks = interval(FORGET);
        loop {
            ticks.tick().await;
            for rates in [&self.connects, &self.joins, &self.requests, &self.writes] {
                rates.forget();
            }
        }
    }

    fn refuse(&self, limit: Limit, wait: Duration) -> ApiError {
        self.metrics.limited.inc(limit);
        let text = format!("there are more {} than {} lets through", limit.entry().counts, limit.entry().flag());
        too_many("rate_limited", text, wait)
    }
}

/// 429, and when to come back: after one second at least, since that is the unit of the header.
fn too_many(code: &'static str, detail: impl Into<std::borrow::Cow<'static, str>>, wait: Duration) -> ApiError {
    let seconds = wait.as_secs() + 1;
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, code, detail).with(RETRY_AFTER, HeaderValue::from(seconds))
}
