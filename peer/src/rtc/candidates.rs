//! Local candidates as they are signaled.

use std::net::IpAddr;

use grtc_protocol::signal::IceCandidate;
use webrtc::peer_connection::{RTCIceCandidate, RTCIceCandidateType};

/// The stream that candidates are for: its name, if it has one, and its place.
type Stream<'a> = (Option<&'a str>, u16);

/// A local candidate, with a copy for each address to advertise.
pub(super) fn signaled(candidate: RTCIceCandidate, advertised: &[IpAddr], stream: Stream<'_>) -> Vec<IceCandidate> {
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
        .map(|json| IceCandidate { candidate: json.candidate, ..end(stream) })
        .collect()
}

/// The end of the candidates.
pub(super) fn end((mid, place): Stream<'_>) -> IceCandidate {
    IceCandidate { sdp_mid: mid.map(str::to_owned), sdp_m_line_index: Some(place), ..IceCandidate::default() }
}
