//! Local candidates as they are signaled.

use std::net::IpAddr;

use grtc_protocol::signal::IceCandidate;
use webrtc::peer_connection::{RTCIceCandidate, RTCIceCandidateType};

/// A local candidate, with a copy for each address to advertise. `mid` is the stream's name in the local description.
pub(super) fn signaled(candidate: RTCIceCandidate, advertised: &[IpAddr], mid: Option<&str>) -> Vec<IceCandidate> {
    let mut variants = vec![candidate];
    if variants.iter().all(|candidate| candidate.typ == RTCIceCandidateType::Host) {
        for ip in advertised {
            let mut copy = variants[0].clone();
            if copy.address.contains(':') == ip.is_ipv6() {
                copy.address = ip.to_string();
                variants.push(copy);
            }
        }
    }
    (variants.iter().filter_map(|candidate| candidate.to_json().ok()))
        .map(|json| IceCandidate {
            candidate: json.candidate,
            sdp_mid: mid.map(str::to_owned),
            sdp_m_line_index: Some(0),
            username_fragment: None,
        })
        .collect()
}

/// The first stream's name in a description.
pub(super) fn mid(sdp: &str) -> Option<String> {
    sdp.lines().find_map(|line| line.strip_prefix("a=mid:")).map(|mid| mid.trim().to_owned())
}
