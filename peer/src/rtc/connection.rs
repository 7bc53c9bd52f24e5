//! One `RTCPeerConnection` behind a guard.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rtc::ice::mdns::MulticastDnsMode;
use tokio::sync::mpsc;
use webrtc::{
    data_channel::{DataChannel, RTCDataChannelInit},
    error::Error,
    peer_connection::{
        PeerConnection, PeerConnectionBuilder, RTCIceCandidateInit, RTCSessionDescription, StatsSelector,
    },
    runtime::Runtime,
};

use super::{
    description::{self, Description, LeftOut, Role},
    handler::{Callback, Handler},
    network::receive_limits,
    runtime::{Flow, KickRuntime},
    settings::{self, Settings},
    sizes,
    window::Window,
};
use crate::{channel::Label, limits::REMOTE_CANDIDATES, report::CandidatePair};

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
    /// The other side is to be ICE's controlling one, although this side has offered.
    yields: bool,
    /// Both sides have streams.
    pub(super) streams: bool,
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
            .with_setting_engine(settings::engine(mdns, receive_window))
            .with_configuration(settings.configuration())
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
            yields: false,
            streams: false,
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
        let init = RTCDataChannelInit {
            ordered: true,
            protocol: label.protocol().to_owned(),
            ..RTCDataChannelInit::default()
        };
        self.get()?.create_data_channel(label.name(), Some(init)).await
    }

    /// An offer, set as the local description.
    pub(super) async fn create_offer(&mut self) -> Result<String, Error> {
        let connection = self.get()?;
        let offer = connection.create_offer(None).await?;
        let sdp = sizes::announcing(&offer.sdp, self.socket, sizes::STREAMS);
        connection.set_local_description(offer).await?;
        self.stream = (description::mid(&sdp), 0);
        Ok(sdp)
    }

    /// An offer that has the other side take ICE's controlling role, for one that begins the association in that role
    /// alone and has left it to this side, whose library begins it in the handshake's client role alone.
    ///
    /// It says that this side is lite, which makes any other side controlling (RFC 8445, section 6.1.1). The library
    /// never knows of it: it takes the answer for an offer ([`Self::apply_answer`]), so that it is controlled. Can go when
    /// the library begins the association in both roles.
    pub(super) async fn create_yielding_offer(&mut self) -> Result<String, Error> {
        let offer = self.get()?.create_offer(None).await?;
        let sdp = description::lite(&sizes::announcing(&offer.sdp, self.socket, sizes::STREAMS));
        (self.stream, self.yields) = ((description::mid(&sdp), 0), true);
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
        let answer = offer.answer(&sizes::announcing(&library.sdp, self.socket, sizes::STREAMS_TAKEN), role);
        connection.set_local_description(library).await?;
        let (mid, place) = offer.stream();
        (self.stream, self.streams) = ((mid.map(str::to_owned), place), offer.offers_streams);
        self.described(offer, role).await;
        Ok(answer)
    }

    /// Sets the other side's answer.
    pub(super) async fn apply_answer(&mut self, sdp: &str) -> Result<(), Error> {
        let answer = Description::parse(sdp)?.of_an_answer();
        self.window.announced(answer.sizes);
        let (role, yields) = (answer.answered_role(), std::mem::take(&mut self.yields));
        let (connection, for_library) = (self.get()?, answer.for_library(role)?);
        if yields {
            connection.set_remote_description(RTCSessionDescription::offer(for_library)?).await?;
            let own = connection.create_answer(None).await?;
            connection.set_local_description(own).await?;
        } else {
            connection.set_remote_description(RTCSessionDescription::answer(for_library)?).await?;
        }
        self.streams = answer.takes_streams;
        self.described(answer, role).await;
        Ok(())
    }

    /// The other side's description is set: its candidates are added, each for itself.
    async fn described(&mut self, mut description: Description, role: Role) {
        if self.remote.as_ref().is_none_or(|last| description.restarts(last)) {
            self.remote_candidates = 0;
        }
        if self.streams {
            self.flow.repeat();
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
            return; // ICE goes on until a pair is found or given up.
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

    /// Whether the handshake was done. The library calls a connection "connected" also when the other side has ended the
    /// handshake by an alert: by the W3C's words, a transport that is closed counts like one that is connected.
    pub(super) async fn is_secured(&self) -> bool {
        let Ok(connection) = self.get() else { return false };
        let Some(sctp) = connection.sctp().await else { return false };
        sctp.transport().get_remote_certificates().await.is_ok_and(|shown| !shown.is_empty())
    }

    /// The candidate pair in use, and this side's address in it.
    pub(super) async fn candidate_pair(&self) -> Option<(CandidatePair, Option<IpAddr>)> {
        let ice = self.get().ok()?.sctp().await?.transport().ice_transport();
        let pair = ice.get_selected_candidate_pair().await.ok()??;
        let local = pair.local();
        let used = CandidatePair {
            local: local.typ.to_string(),
            remote: pair.remote().typ.to_string(),
            protocol: local.protocol.to_string(),
        };
        let own = if used.local == "host" { &local.address } else { &local.related_address };
        Some((used, own.parse().ok()))
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
