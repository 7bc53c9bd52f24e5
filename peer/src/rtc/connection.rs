//! One `RTCPeerConnection` behind a guard.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rtc::{ice::mdns::MulticastDnsMode, peer_connection::configuration::setting_engine::SctpMaxMessageSize};
use tokio::sync::mpsc;
use webrtc::{
    data_channel::DataChannel,
    error::Error,
    peer_connection::{
        PeerConnection, PeerConnectionBuilder, RTCConfiguration, RTCConfigurationBuilder, RTCIceCandidateInit,
        RTCIceServer, RTCIceTransportPolicy, RTCSessionDescription, SettingEngine, SettingEngineBuilder, StatsSelector,
    },
    runtime::Runtime,
};

use super::{
    description::{self, Description, LeftOut, Role, Unusable},
    handler::{Callback, Handler},
    network::receive_limits,
    runtime::{Flow, KickRuntime},
    settings::Settings,
    sizes,
    window::Window,
};
use crate::{
    channel::Label,
    limits::{
        ICE_CHECK_INTERVAL, ICE_CHECKS, ICE_DISCONNECTED, ICE_FAILED, ICE_KEEPALIVE, RELAY_WAIT, REMOTE_CANDIDATES,
    },
    report::CandidatePair,
};

/// Set once the multicast group of mDNS could not be joined: it will not be later either.
static NO_MULTICAST: AtomicBool = AtomicBool::new(false);

/// The guard. The library frees nothing of a connection that is not closed, so that dropping this closes it. Can go when it
/// closes one that nobody holds any more.
pub(super) struct Connection {
    connection: Option<Arc<dyn PeerConnection>>,
    flow: Arc<Flow>,
    window: Arc<Window>,
    /// What this side's UDP sockets hold.
    socket: usize,
    /// This side's DTLS role, which stays what it is (RFC 8842, section 5.3).
    role: Option<Role>,
    /// What the other side has described last.
    remote: Option<Description>,
    /// The stream's name and place in what was described to the other side, which candidates repeat.
    stream: (Option<String>, u16),
    /// Candidates of the other side since ICE began.
    remote_candidates: usize,
}

impl Connection {
    /// A connection with its sockets bound.
    pub(super) async fn new(settings: &Settings, callbacks: mpsc::Sender<Callback>) -> Result<Self, Error> {
        if !settings.network.no_mdns && !NO_MULTICAST.load(Ordering::Relaxed) {
            match Self::kicked(settings, MulticastDnsMode::QueryOnly, callbacks.clone()).await {
                Ok(connection) => return Ok(connection),
                Err(error) => tracing::debug!(%error, "no connection with multicast"),
            }
            let connection = Self::kicked(settings, MulticastDnsMode::Disabled, callbacks).await?;
            // It was the multicast, and not that there is no address for the moment.
            NO_MULTICAST.store(true, Ordering::Relaxed);
            tracing::debug!("no multicast: .local candidates are left to the other side's checks");
            return Ok(connection);
        }
        Self::kicked(settings, MulticastDnsMode::Disabled, callbacks).await
    }

    async fn kicked(
        settings: &Settings,
        mdns: MulticastDnsMode,
        callbacks: mpsc::Sender<Callback>,
    ) -> Result<Self, Error> {
        let runtime = KickRuntime::new(settings.socket_buffer);
        let flow = runtime.flow();
        Self::on(Arc::new(runtime), flow, settings, mdns, callbacks).await
    }

    /// A connection on this runtime.
    pub(super) async fn on(
        runtime: Arc<dyn Runtime>,
        flow: Arc<Flow>,
        settings: &Settings,
        mdns: MulticastDnsMode,
        callbacks: mpsc::Sender<Callback>,
    ) -> Result<Self, Error> {
        let addresses = settings.network.addresses().map_err(|error| Error::Other(error.to_string()))?;
        let (receive_window, socket) = receive_limits(settings.socket_buffer);
        let connection = PeerConnectionBuilder::new()
            .with_setting_engine(engine(mdns, receive_window))
            .with_configuration(configuration(settings))
            .with_handler(Arc::new(Handler(callbacks)))
            .with_runtime(runtime)
            .with_udp_addrs(addresses)
            .build()
            .await?;
        let window = Arc::new(Window::new(Arc::clone(&flow)));
        Ok(Self {
            connection: Some(Arc::new(connection)),
            flow,
            window,
            socket,
            role: None,
            remote: None,
            stream: (None, 0),
            remote_candidates: 0,
        })
    }

    /// What reaches the sockets.
    pub(super) fn flow(&self) -> Arc<Flow> {
        Arc::clone(&self.flow)
    }

    /// How much may be sent.
    pub(super) fn window(&self) -> Arc<Window> {
        Arc::clone(&self.window)
    }

    /// Lets the window follow the path.
    pub(super) async fn measure(&self) {
        if self.window.follows_the_path()
            && let Some(ms) = self.round_trip_ms().await
        {
            self.window.round_trip(Duration::try_from_secs_f64(ms / 1_000.0).unwrap_or_default());
        }
    }

    fn get(&self) -> Result<&dyn PeerConnection, Error> {
        self.connection.as_deref().ok_or(Error::ErrConnectionClosed)
    }

    /// A channel of this side.
    pub(super) async fn create_channel(&self, label: Label) -> Result<Arc<dyn DataChannel>, Error> {
        self.get()?.create_data_channel(label.name(), None).await
    }

    /// An offer, set as the local description.
    pub(super) async fn create_offer(&mut self) -> Result<String, Error> {
        let connection = self.get()?;
        let offer = connection.create_offer(None).await?;
        let sdp = sizes::announcing(&offer.sdp, self.socket);
        connection.set_local_description(offer).await?;
        self.stream = (description::mid(&sdp), 0);
        Ok(sdp)
    }

    /// Sets the other side's offer; the answer, set as the local description. On an open connection it is a renegotiation.
    pub(super) async fn accept_offer(&mut self, sdp: &str) -> Result<String, Error> {
        let offer = Description::parse(sdp)?;
        self.window.announced(offer.sizes);
        let role = self.role.unwrap_or_else(|| offer.answering_role());
        let connection = self.get()?;
        connection.set_remote_description(RTCSessionDescription::offer(offer.for_library(role)?)?).await?;
        let library = connection.create_answer(None).await?;
        let answer = offer.answer(&sizes::announcing(&library.sdp, self.socket), role);
        connection.set_local_description(library).await?;
        let (mid, place) = offer.stream();
        self.stream = (mid.map(str::to_owned), place);
        self.described(offer, role).await;
        Ok(answer)
    }

    /// Sets the other side's answer.
    pub(super) async fn apply_answer(&mut self, sdp: &str) -> Result<(), Error> {
        let answer = Description::parse(sdp)?;
        self.window.announced(answer.sizes);
        let role = answer.answered_role();
        let connection = self.get()?;
        connection.set_remote_description(RTCSessionDescription::answer(answer.for_library(role)?)?).await?;
        self.described(answer, role).await;
        Ok(())
    }

    /// The other side's description is set: its candidates are added, each for itself.
    async fn described(&mut self, mut description: Description, role: Role) {
        if self.remote.as_ref().is_none_or(|last| description.restarts(last)) {
            self.remote_candidates = 0;
        }
        let candidates = std::mem::take(&mut description.candidates);
        (self.role, self.remote) = (Some(role), Some(description));
        for candidate in candidates {
            self.add_candidate(&candidate).await;
        }
    }

    /// Adds a candidate of the other side. One that can't be used is left out: others may do.
    pub(super) async fn add_candidate(&mut self, candidate: &str) {
        if candidate.trim().is_empty() {
            // The end of the candidates needs nothing: ICE goes on until a pair is found or given up.
            return;
        }
        self.remote_candidates += 1;
        let usable = match self.remote_candidates > REMOTE_CANDIDATES {
            true => Err(LeftOut::TooMany),
            false => description::usable_candidate(candidate),
        };
        let candidate = match usable {
            Ok(candidate) => candidate,
            Err(reason) => return tracing::debug!(%reason, "a candidate is left out"),
        };
        let init = RTCIceCandidateInit { candidate, sdp_mline_index: Some(0), ..RTCIceCandidateInit::default() };
        let Ok(connection) = self.get() else { return };
        if let Err(error) = connection.add_ice_candidate(init).await {
            tracing::debug!(%error, "a candidate is left out");
        }
    }

    /// The stream's name and place, as candidates of this side name them.
    pub(super) fn stream(&self) -> (Option<&str>, u16) {
        (self.stream.0.as_deref(), self.stream.1)
    }

    /// The candidate pair in use.
    pub(super) async fn candidate_pair(&self) -> Option<CandidatePair> {
        let ice = self.get().ok()?.sctp().await?.transport().ice_transport();
        let pair = ice.get_selected_candidate_pair().await.ok()??;
        Some(CandidatePair {
            local: pair.local().typ.to_string(),
            remote: pair.remote().typ.to_string(),
            protocol: pair.local().protocol.to_string(),
        })
    }

    /// The round-trip time of the candidate pair in use, in milliseconds.
    pub(super) async fn round_trip_ms(&self) -> Option<f64> {
        let report = self.get().ok()?.get_stats(Instant::now(), StatsSelector::None).await;
        let rtts = report.candidate_pairs().filter(|pair| pair.nominated).map(|pair| pair.current_round_trip_time);
        rtts.filter(|seconds| *seconds > 0.0).reduce(f64::max).map(|seconds| seconds * 1_000.0)
    }

    /// Closes it.
    pub(super) async fn close(mut self) {
        if let Some(connection) = self.connection.take() {
            close(connection).await;
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let (Some(connection), Ok(runtime)) = (self.connection.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        runtime.spawn(close(connection));
    }
}

async fn close(connection: Arc<dyn PeerConnection>) {
    if let Err(error) = connection.close().await {
        tracing::debug!(%error, "a connection did not close cleanly");
    }
}

impl From<Unusable> for Error {
    fn from(reason: Unusable) -> Self {
        Self::Other(reason.to_string())
    }
}

fn engine(mdns: MulticastDnsMode, receive_window: u32) -> SettingEngine {
    SettingEngineBuilder::new()
        .with_include_loopback_candidate(true)
        .with_multicast_dns_mode(mdns)
        // A check that arrives before the candidate it comes from, or from a browser that hides its address, is as good.
        .with_prflx_acceptance_min_wait(Some(Duration::ZERO))
        .with_relay_acceptance_min_wait(Some(RELAY_WAIT))
        .with_ice_connection_attempts(Some(ICE_CHECK_INTERVAL), Some(ICE_CHECKS))
        .with_ice_timeouts(Some(ICE_DISCONNECTED), Some(ICE_FAILED), Some(ICE_KEEPALIVE))
        .with_sctp_max_message_size(SctpMaxMessageSize::Unbounded)
        .with_sctp_max_receive_buffer_size(receive_window)
        .build()
}

fn configuration(settings: &Settings) -> RTCConfiguration {
    let servers = settings.ice_servers.iter().map(|server| RTCIceServer {
        urls: server.urls.clone(),
        username: server.username.clone(),
        credential: server.credential.clone(),
    });
    let policy = match settings.network.relay_only {
        true => RTCIceTransportPolicy::Relay,
        false => RTCIceTransportPolicy::All,
    };
    RTCConfigurationBuilder::new().with_ice_servers(servers.collect()).with_ice_transport_policy(policy).build()
}
