//! Who may come in: the one gate that every request passes, HTTP and WebSocket alike, on its way to the handler of its
//! route.
//!
//! It judges by `Host` (RFC 9112 section 3.2), which has to name this machine while the server listens on loopback alone
//! (DNS rebinding), and by `Origin` (RFC 6454). The same rule holds for pages that read the API (CORS) and for pages that
//! open a WebSocket, which browsers let through from anywhere. A client that is no browser sends no `Origin`.

mod cors;
mod credentials;
mod head;
mod needs;
mod permits;
mod refusal;

use std::sync::{Arc, Mutex, PoisonError};

use hyper::header::{HOST, HeaderValue, ORIGIN};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use self::credentials::Credentials;
pub(crate) use self::{
    cors::{allow_reading, is_preflight, preflight},
    head::Head,
    needs::Needs,
};
use crate::{
    auth::{Auth, Bearer, Failures, Refused, Why},
    client_address::Address,
    error::ApiError,
    metrics::Metrics,
    origin::{Origin, host_and_port, is_loopback},
    telemetry::Occasional,
};

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
    /// The server speaks TLS itself, so that a page of its own comes from `https`.
    tls: bool,
    /// Cancelled once the server stops.
    stop: CancellationToken,
    /// Who looks at tokens; none where nobody needs one.
    auth: Option<Auth>,
    /// The bad tokens of each address.
    failures: Mutex<Failures<Address>>,
    metrics: Arc<Metrics>,
}

impl Gate {
    pub(crate) fn new(allowed: Vec<Origin>, loopback: bool, stop: CancellationToken) -> Self {
        Self {
            allowed,
            loopback,
            tls: false,
            stop,
            auth: None,
            failures: Mutex::default(),
            metrics: Arc::new(Metrics::new()),
        }
    }

    /// The same with tokens, if there are keys.
    pub(crate) fn with_auth(self, auth: Option<Auth>, metrics: Arc<Metrics>) -> Self {
        Self { auth, metrics, ..self }
    }

    /// Whose request this is, and whether a route with these needs is for them.
    ///
    /// # Errors
    /// What is wrong with the token, or what it does not allow.
    pub(crate) async fn bearer(&self, head: &Head, needs: &Needs) -> Result<Bearer, Refused> {
        let bearer = self.permitted(head, needs).await;
        bearer.map_err(|refused| self.counted(head, refused))
    }

    /// Counts what was refused. Who shows bad tokens again and again has to wait; a good one is taken all the same.
    fn counted(&self, head: &Head, mut refused: Refused) -> Refused {
        self.metrics.auth_failures.inc(refused.why.into());
        let address = head.extensions.get().copied().unwrap_or(Address::Loopback);
        if matches!(refused.why, Why::Invalid | Why::Expired) && address != Address::Loopback {
            let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
            refused.wait = failures.failed(&address, Timestamp::now());
        }
        refused
    }

    async fn permitted(&self, head: &Head, needs: &Needs) -> Result<Bearer, Refused> {
        if matches!(needs, Needs::Nothing | Needs::Public) {
            return Ok(None);
        }
        let Some(auth) = &self.auth else {
            let text = "there is no administration on a server without keys: start it with --auth-secret-file";
            return if *needs == Needs::Admin { Err(Refused::not_allowed(text)) } else { Ok(None) };
        };
        let caller = match credentials::of(head)? {
            Credentials::Token(token) => Arc::new(auth.caller(token).await?),
            Credentials::Ticket(ticket) => auth.by_ticket(ticket)?,
        };
        permits::permits(&caller, needs)?;
        Ok(Some(caller))
    }

    /// For a server that speaks TLS itself.
    pub(crate) fn over_tls(self, tls: bool) -> Self {
        Self { tls, ..self }
    }

    /// Whether a request may go on to a route with these needs.
    ///
    /// # Errors
    /// The answer, when it goes no further: it says what was compared with what.
    pub(crate) fn check(&self, head: &Head, needs: &Needs) -> Result<Identity, ApiError> {
        if *needs == Needs::Nothing {
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
            Some(_) if *needs == Needs::Public && !is_preflight(head) => Ok(Identity::default()),
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
        host.is_some_and(|host| origin.is_at(host) && (origin.is_https() || !self.tls))
            || self.allowed.contains(&origin)
            || (self.loopback && origin.is_loopback())
    }
}

#[cfg(test)]
mod tests;
