//! One `RTCPeerConnection` behind a guard.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use grtc_protocol::signal::IceCandidate;
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
    Settings,
    handler::{Callback, Handler},
    network::receive_limits,
    runtime::{Flow, KickRuntime},
    sizes::{self, Sizes},
    window::Window,
};
use crate::{
    channel::Label,
    limits::{
        DESCRIPTION_BYTES, ICE_CHECK_INTERVAL, ICE_CHECKS, ICE_DISCONNECTED, ICE_FAILED, ICE_KEEPALIVE, RELAY_WAIT,
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
}

impl Connection {
    /// A connection with its sockets bound.
    pub(super) async fn new(settings: &Settings, callbacks: mpsc::Sender<Callback>) -> Result<Self, Error> {
        if settings.resolve_mdns && !NO_MULTICAST.load(Ordering::Relaxed) {
            match Self::kicked(settings, MulticastDnsMode::QueryOnly, callbacks.clone()).await {
                Ok(connection) => return Ok(connection),
                Err(error) => {
                    NO_MULTICAST.store(true, Ordering::Relaxed);
                    tracing::debug!(%error, "no multicast: .local candidates are left to the other side's checks");
                }
            }
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
        let (receive_window, socket) = receive_limits(settings.socket_buffer);
        let connection = PeerConnectionBuilder::new()
            .with_setting_engine(engine(mdns, receive_window))
            .with_configuration(configuration(settings))
            .with_handler(Arc::new(Handler(callbacks)))
            .with_runtime(runtime)
            .with_udp_addrs(settings.addresses.clone())
            .build()
            .await?;
        let window = Arc::new(Window::new(Arc::clone(&flow)));
        Ok(Self { connection: Some(Arc::new(connection)), flow, window, socket })
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
    pub(super) async fn create_offer(&self) -> Result<String, Error> {
        let connection = self.get()?;
        let offer = connection.create_offer(None).await?;
        let sdp = sizes::announcing(&offer.sdp, self.socket);
        connection.set_local_description(offer).await?;
        Ok(sdp)
    }

    /// Sets the other side's offer; the answer, set as the local description.
    pub(super) async fn accept_offer(&self, sdp: String) -> Result<String, Error> {
        let connection = self.get()?;
        connection.set_remote_description(RTCSessionDescription::offer(self.read(sdp)?)?).await?;
        let answer = connection.create_answer(None).await?;
        let sdp = sizes::announcing(&answer.sdp, self.socket);
        connection.set_local_description(answer).await?;
        Ok(sdp)
    }

    /// Sets the other side's answer.
    pub(super) async fn apply_answer(&self, sdp: String) -> Result<(), Error> {
        self.get()?.set_remote_description(RTCSessionDescription::answer(self.read(sdp)?)?).await
    }

    /// The other side's description as the library is to see it.
    fn read(&self, sdp: String) -> Result<String, Error> {
        let sdp = checked(sdp)?;
        self.window.announced(Sizes::of(&sdp));
        Ok(sizes::lifted(&sdp))
    }

    /// Adds a candidate of the other side.
    pub(super) async fn add_candidate(&self, candidate: IceCandidate) -> Result<(), Error> {
        let IceCandidate { candidate, sdp_mid, sdp_m_line_index, username_fragment } = candidate;
        let init =
            RTCIceCandidateInit { candidate, sdp_mid, sdp_mline_index: sdp_m_line_index, username_fragment, url: None };
        self.get()?.add_ice_candidate(init).await
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

/// A description that may be given to the library: it came from anybody.
fn checked(sdp: String) -> Result<String, Error> {
    let clean = |c: char| !c.is_control() || c == '\r' || c == '\n';
    match sdp.len() <= DESCRIPTION_BYTES && sdp.chars().all(clean) {
        true => Ok(sdp),
        false => Err(Error::Other("the description is too long or has control characters".to_owned())),
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
    let policy = match settings.relay_only {
        true => RTCIceTransportPolicy::Relay,
        false => RTCIceTransportPolicy::All,
    };
    RTCConfigurationBuilder::new().with_ice_servers(servers.collect()).with_ice_transport_policy(policy).build()
}
