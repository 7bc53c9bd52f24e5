//! What every connection of a peer is made with.

use std::time::Duration;

use rtc::{ice::mdns::MulticastDnsMode, peer_connection::configuration::setting_engine::SctpMaxMessageSize};
use webrtc::peer_connection::{
    RTCConfiguration, RTCConfigurationBuilder, RTCIceServer, RTCIceTransportPolicy, SettingEngine, SettingEngineBuilder,
};

use super::{ice_server::IceServer, network::Network};
use crate::limits::{ICE_CHECK_INTERVAL, ICE_CHECKS, ICE_DISCONNECTED, ICE_FAILED, ICE_KEEPALIVE, RELAY_WAIT};

/// What every connection of a peer is made with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) network: Network,
    /// Those that can be used.
    pub(crate) ice_servers: Vec<IceServer>,
    /// Asked of the kernel for each UDP socket, in bytes.
    pub(crate) socket_buffer: usize,
}

impl Settings {
    pub(super) fn configuration(&self) -> RTCConfiguration {
        let servers = self.ice_servers.iter().map(|server| RTCIceServer {
            urls: server.urls.clone(),
            username: server.username.clone(),
            credential: server.credential.clone(),
        });
        let policy = match self.network.relay_only {
            true => RTCIceTransportPolicy::Relay,
            false => RTCIceTransportPolicy::All,
        };
        RTCConfigurationBuilder::new().with_ice_servers(servers.collect()).with_ice_transport_policy(policy).build()
    }
}

pub(super) fn engine(mdns: MulticastDnsMode, receive_window: u32) -> SettingEngine {
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
