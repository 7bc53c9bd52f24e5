//! The golden messages under `fixtures/wire`, which the page's tests read too: each is read as it says and, where the
//! server writes it, written again byte for byte.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use grtc_protocol::{
    client::{ClientMessage, Frame},
    server::{ServerMessage, encode},
};
use serde_json::Value;

fn golden(name: &str) -> Vec<Value> {
    let path = format!("{}/fixtures/wire/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn what_clients_send() {
    for case in golden("client_messages") {
        let name = &case["name"];
        let text = case["frame"].as_str().unwrap();
        match Frame::parse(text) {
            Ok(frame) => {
                let (kind, target, data) = match &frame.message {
                    ClientMessage::Signal { target, signal } => {
                        assert_eq!(*signal, text.trim(), "{name}");
                        ("signal", Some(target), None)
                    }
                    ClientMessage::Broadcast { data } => ("broadcast", None, Some(*data)),
                    ClientMessage::Direct { target, data } => ("message", Some(target), Some(*data)),
                    ClientMessage::Metadata { metadata } => ("metadata", None, Some(*metadata)),
                    ClientMessage::Auth { token } => ("auth", None, Some(token.as_ref())),
                    ClientMessage::Report(report) => ("report", None, Some(report.result.word())),
                    ClientMessage::IceServers => ("ice_servers", None, None),
                    ClientMessage::Leave => ("leave", None, None),
                    ClientMessage::Ping => ("ping", None, None),
                };
                assert_eq!(case["kind"], kind, "{name}");
                assert_eq!(case["target"].as_str(), target.map(AsRef::as_ref), "{name}");
                assert_eq!(case["data"].as_str(), data, "{name}");
                assert_eq!(case["id"].as_str(), frame.id.as_deref(), "{name}");
            }
            Err(error) => {
                assert_eq!(case["error"], serde_json::to_value(error.code).unwrap(), "{name}");
                assert_eq!(case["id"].as_str(), error.id.as_deref(), "{name}");
            }
        }
    }
}

#[test]
fn what_the_server_sends() {
    for case in golden("server_messages") {
        let text = case["frame"].as_str().unwrap();
        let written = match ServerMessage::parse(text).unwrap() {
            ServerMessage::RoomState(message) => encode(&message),
            ServerMessage::PeerJoined(message) => encode(&message),
            ServerMessage::PeerLeft(message) => encode(&message),
            ServerMessage::PeerUpdated(message) => encode(&message),
            ServerMessage::PeerAway(message) => encode(&message),
            ServerMessage::PeerBack(message) => encode(&message),
            ServerMessage::WebrtcSignal(message) => encode(&message),
            ServerMessage::BroadcastMessage(message) => encode(&message),
            ServerMessage::DirectMessage(message) => encode(&message),
            ServerMessage::Error(message) => encode(&message),
            ServerMessage::Authenticated(message) => encode(&message),
            ServerMessage::IceServers(message) => encode(&message),
            ServerMessage::Pong(message) => encode(&message),
            ServerMessage::Ack(message) => encode(&message),
            ServerMessage::Unknown(kind) => panic!("{kind} is not known"),
        };
        assert_eq!(written, text, "{}", case["name"]);
        let read: Value = serde_json::from_str(text).unwrap();
        assert_eq!(read["type"], case["type"]);
    }
}
