//! Frames of the server as the driver sees them, and signals as the server takes them.

use grtc_protocol::{
    PeerId,
    server::{LeaveReason, ServerMessage},
    signal::{IceCandidate, SessionDescription, Signal},
};
use serde_json::{Map, Value, json};

use crate::{
    event::{Event, Payload},
    negotiator::{Input, Message},
};

/// What somebody says about itself.
pub(super) type Metadata = Map<String, Value>;

/// A frame that matters.
pub(super) enum Frame {
    RoomState { peers: Vec<PeerId>, recovered: Option<bool>, metadata: Vec<(PeerId, Metadata)> },
    PeerUpdated(PeerId, Metadata),
    PeerJoined(PeerId),
    PeerAway(PeerId),
    PeerBack(PeerId),
    PeerLeft(PeerId, Option<LeaveReason>),
    Signal(PeerId, Input),
    Message(PeerId, Payload),
    Error { code: String, message: String },
}

/// Reads a frame. One that this version does not know, or can't read, is ignored.
pub(super) fn parse(text: &str) -> Option<Frame> {
    let message = match ServerMessage::parse(text) {
        Ok(message) => message,
        Err(error) => {
            tracing::warn!(%error, "the server sent a frame that can't be read");
            return None;
        }
    };
    match message {
        ServerMessage::RoomState(state) => {
            let metadata = state.metadata.unwrap_or_default().into_iter();
            let metadata = metadata.filter_map(|(peer, raw)| Some((peer, serde_json::from_str(raw.get()).ok()?)));
            Some(Frame::RoomState { peers: state.peers, recovered: state.recovered, metadata: metadata.collect() })
        }
        ServerMessage::PeerJoined(joined) => Some(Frame::PeerJoined(joined.peer_id)),
        ServerMessage::PeerUpdated(updated) => {
            Some(Frame::PeerUpdated(updated.peer_id, serde_json::from_str(updated.metadata.get()).ok()?))
        }
        ServerMessage::PeerAway(away) => Some(Frame::PeerAway(away.peer_id)),
        ServerMessage::PeerBack(back) => Some(Frame::PeerBack(back.peer_id)),
        ServerMessage::PeerLeft(left) => Some(Frame::PeerLeft(left.peer_id, left.reason)),
        ServerMessage::WebrtcSignal(signal) => match serde_json::from_str(signal.signal.get()) {
            Ok(parsed) => Some(Frame::Signal(signal.from_peer_id, input_from(parsed))),
            Err(_) => {
                tracing::debug!(peer = %signal.from_peer_id, "a peer sent a signal that can't be read");
                None
            }
        },
        ServerMessage::BroadcastMessage(message) => Some(relayed(message.from_peer_id, message.data.get())),
        ServerMessage::DirectMessage(message) => Some(relayed(message.from_peer_id, message.data.get())),
        ServerMessage::Error(error) => {
            let code = serde_json::to_value(error.code).ok().and_then(|code| code.as_str().map(str::to_owned));
            Some(Frame::Error { code: code.unwrap_or_default(), message: error.message.into_owned() })
        }
        _ => None,
    }
}

fn input_from(signal: Signal) -> Input {
    match signal {
        Signal::Offer { offer, attempt, .. } => Input::RemoteOffer { sdp: offer.sdp, attempt },
        Signal::Answer { answer, attempt, .. } => Input::RemoteAnswer { sdp: answer.sdp, attempt },
        Signal::IceCandidate { refused: Some(message), attempt, .. } => Input::RemoteRefusal { message, attempt },
        Signal::IceCandidate { candidate, attempt, .. } => Input::RemoteCandidate { candidate, attempt },
    }
}

/// Data that came through the server: a string is its text, anything else is shown as JSON.
fn relayed(from: PeerId, data: &str) -> Frame {
    let text = serde_json::from_str(data).unwrap_or_else(|_| data.to_owned());
    Frame::Message(from, Payload::Text(text))
}

/// A message for a peer, as a frame for the server.
pub(super) fn encode(target: &PeerId, message: Message) -> String {
    let target_peer_id = target.as_str().to_owned();
    let description = |kind: &str, sdp| SessionDescription { kind: kind.to_owned(), sdp };
    let signal = match message {
        Message::Offer { sdp, attempt } => Signal::Offer { target_peer_id, offer: description("offer", sdp), attempt },
        Message::Answer { sdp, attempt } => {
            Signal::Answer { target_peer_id, answer: description("answer", sdp), attempt }
        }
        Message::Candidate { candidate, attempt } => {
            Signal::IceCandidate { target_peer_id, candidate: Some(candidate), attempt, refused: None }
        }
        // To who does not know of refusals it is the end of the candidates, which ends nothing that could still work.
        Message::Refusal { message, attempt } => {
            let end = IceCandidate { sdp_m_line_index: Some(0), ..IceCandidate::default() };
            Signal::IceCandidate { target_peer_id, candidate: Some(end), attempt, refused: Some(message) }
        }
    };
    // Strings and numbers only: it can't fail.
    serde_json::to_string(&signal).unwrap_or_default()
}

/// What this peer says about itself, as a frame for the server.
pub(super) fn encode_metadata(metadata: &Metadata) -> String {
    json!({ "type": "metadata", "metadata": metadata }).to_string()
}

/// What came of a pair, as a frame for the server to count; none where nothing has.
pub(super) fn encode_report(event: &Event) -> Option<String> {
    let report = match event {
        Event::Connected { peer_id, pair, timings } => json!({
            "type": "report", "peer_id": peer_id, "result": "connected", "pair": pair, "timings_ms": timings,
        }),
        Event::Failed { peer_id, stage, .. } => json!({
            "type": "report", "peer_id": peer_id, "result": "failed", "stage": stage,
        }),
        _ => return None,
    };
    Some(report.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_comes_back_as_it_was_sent() {
        let b: PeerId = "b".parse().unwrap();
        let offer = Message::Offer { sdp: "v=0\r\n".to_owned(), attempt: Some("x-1".to_owned()) };
        let sent = encode(&b, offer);
        assert_eq!(
            sent,
            r#"{"type":"offer","target_peer_id":"b","offer":{"type":"offer","sdp":"v=0\r\n"},"attempt":"x-1"}"#
        );
        let frame = format!(r#"{{"type":"webrtc_signal","from_peer_id":"a","signal":{sent},"timestamp":"t"}}"#);
        let Some(Frame::Signal(from, Input::RemoteOffer { sdp, attempt })) = parse(&frame) else { panic!("{frame}") };
        assert_eq!((from.as_str(), &*sdp, attempt.as_deref()), ("a", "v=0\r\n", Some("x-1")));
    }

    #[test]
    fn an_old_client_names_no_attempt_and_ends_its_candidates_with_null() {
        let frame = r#"{"type":"webrtc_signal","from_peer_id":"a","signal":{"type":"ice_candidate","target_peer_id":"b","candidate":null},"timestamp":"t"}"#;
        let Some(Frame::Signal(_, Input::RemoteCandidate { candidate: None, attempt: None })) = parse(frame) else {
            panic!("not read")
        };
    }

    #[test]
    fn what_comes_through_the_server_is_text() {
        for (data, text) in [(r#""hi""#, "hi"), (r#"{"a":1}"#, r#"{"a":1}"#), ("null", "null"), ("7", "7")] {
            let frame = format!(r#"{{"type":"broadcast_message","from_peer_id":"a","data":{data},"timestamp":"t"}}"#);
            let Some(Frame::Message(_, payload)) = parse(&frame) else { panic!("{frame}") };
            assert_eq!(payload.as_text(), Some(text));
        }
    }

    #[test]
    fn a_refusal_is_the_end_of_the_candidates_to_who_does_not_know_of_it() {
        let b: PeerId = "b".parse().unwrap();
        let sent = encode(&b, Message::Refusal { message: "no fingerprint".to_owned(), attempt: None });
        assert_eq!(
            sent,
            r#"{"type":"ice_candidate","target_peer_id":"b","candidate":{"candidate":"","sdpMLineIndex":0},"refused":"no fingerprint"}"#
        );
    }

    #[test]
    fn a_report_is_one_that_the_server_reads() {
        use crate::report::{CandidatePair, Stage, Timings};
        use grtc_protocol::report::{Candidate, PairResult, Report};
        let pair = CandidatePair { local: "host".into(), remote: "relay".into(), protocol: "udp".into() };
        let timings = Timings { signaling: 1.0, ice: 2.0, dtls: 3.0, sctp: 4.0, total: 10.5 };
        let peer_id: PeerId = "b".parse().unwrap();
        let connected = Event::Connected { peer_id: peer_id.clone(), pair, timings };
        let report = Report::parse(&encode_report(&connected).unwrap()).unwrap();
        assert_eq!((report.result, report.remote), (PairResult::Connected, Candidate::Relay));
        assert_eq!(report.took.unwrap().as_micros(), 10_500);
        let failed = Event::Failed { peer_id: peer_id.clone(), stage: Stage::Ice, message: String::new() };
        let text = encode_report(&failed).unwrap();
        assert!(text.contains(r#""stage":"ice""#), "{text}");
        assert_eq!(Report::parse(&text).unwrap().result, PairResult::Failed);
        assert!(encode_report(&Event::Connecting { peer_id }).is_none());
    }

    #[test]
    fn rubbish_is_ignored() {
        for text in ["", "[]", r#"{"type":"later"}"#, r#"{"type":"peer_left"}"#, r#"{"type":"pong"}"#] {
            assert!(parse(text).is_none(), "{text}");
        }
        let signal = r#"{"type":"webrtc_signal","from_peer_id":"a","signal":{"type":"dance"},"timestamp":"t"}"#;
        assert!(parse(signal).is_none());
    }
}
