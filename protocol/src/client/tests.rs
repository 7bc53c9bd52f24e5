use proptest::prelude::*;

use super::*;

fn code(text: &str) -> ErrorCode {
    Frame::parse(text).unwrap_err().code
}

#[test]
fn forwards_a_signal_whole_with_fields_it_does_not_know() {
    let text = r#"{"type":"offer","target_peer_id":"b","offer":{"type":"offer","sdp":"v=0\r\n"},"x":[1.0,1e2]}"#;
    let Frame { id: None, kind: Kind::Offer, message: ClientMessage::Signal { target, signal } } =
        Frame::parse(text).unwrap()
    else {
        panic!("no signal")
    };
    assert_eq!((&*target, signal), ("b", text));
}

#[test]
fn null_is_a_value() {
    let end = r#"{"type":"ice_candidate","target_peer_id":"b","candidate":null}"#;
    assert!(matches!(Frame::parse(end).unwrap().message, ClientMessage::Signal { .. }));
    let nothing = Frame::parse(r#"{"type":"broadcast","data":null}"#).unwrap().message;
    assert_eq!(nothing, ClientMessage::Broadcast { data: "null" });
}

#[test]
fn reads_escapes_in_the_envelope_and_takes_nfd_as_nfc() {
    let frame = Frame::parse(r#"{"type":"\u006dessage","target_peer_id":"e\u0301","data":1,"id":"q\"1"}"#).unwrap();
    assert_eq!(frame.id.as_deref(), Some("q\"1"));
    assert_eq!(frame.message, ClientMessage::Direct { target: "é".into(), data: "1" });
}

#[test]
fn says_what_is_wrong() {
    use ErrorCode::{BadField, BadJson, MissingField, UnknownType};
    for (text, expected) in [
        ("", BadJson),
        ("hello", BadJson),
        ("[]", BadJson),
        ("\"x\"", BadJson),
        (r#"{"type":"ping"} x"#, BadJson),
        (r#"{"type":"ping","type":"leave"}"#, BadJson),
        (r#"{"type":"ping","id":"1","id":"2"}"#, BadJson),
        ("{}", MissingField),
        (r#"{"type":7}"#, BadField),
        (r#"{"type":null}"#, BadField),
        (r#"{"type":"shout"}"#, UnknownType),
        (r#"{"type":"broadcast"}"#, MissingField),
        (r#"{"type":"offer","offer":{}}"#, MissingField),
        (r#"{"type":"offer","target_peer_id":"b"}"#, MissingField),
        (r#"{"type":"offer","target_peer_id":7,"offer":{}}"#, BadField),
        (r#"{"type":"ping","id":7}"#, BadField),
    ] {
        assert_eq!(code(text), expected, "{text}");
    }
    for (text, said) in [
        ("\u{feff}{\"type\":\"ping\"}", "byte order mark"),
        ("", "empty"),
        (r#"{"type":"message","target_peer_id":"\ud800","data":1}"#, "surrogate"),
        (r#"{"type":"ping","id":"\udc00"}"#, "surrogate"),
    ] {
        let error = Frame::parse(text).unwrap_err();
        assert!(error.message.contains(said), "{text}: {error}");
    }
    let error = Frame::parse(r#"{"type":"shout","id":"m1"}"#).unwrap_err();
    assert_eq!(error.id.as_deref(), Some("m1"));
}

#[test]
fn refuses_what_other_readers_would_choke_on() {
    let nested = |levels| {
        let (open, shut) = ("[".repeat(levels), "]".repeat(levels));
        format!(r#"{{"type":"broadcast","data":{open}{shut}}}"#)
    };
    assert!(Frame::parse(&nested(JSON_DEPTH - 1)).is_ok());
    assert_eq!(code(&nested(JSON_DEPTH)), ErrorCode::BadJson);
    assert_eq!(code(&nested(30_000)), ErrorCode::BadJson);
    let quoted = format!(r#"{{"type":"broadcast","data":"\"{}"}}"#, "[".repeat(1_000));
    assert!(Frame::parse(&quoted).is_ok());
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::hash_map(any::<String>(), inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

fn depth(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        serde_json::Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

proptest! {
    #[test]
    fn never_panics(text in ".*") {
        let _ = Frame::parse(&text);
    }

    #[test]
    fn keeps_the_bytes_of_any_data(data in json()) {
        let raw = data.to_string();
        let text = format!(r#"{{"type":"broadcast","data":{raw}}}"#);
        let frame = Frame::parse(&text).unwrap();
        prop_assert_eq!(frame.message, ClientMessage::Broadcast { data: &raw });
    }

    #[test]
    fn counts_depth_as_the_tree_has_it(data in json(), limit in 0_usize..8) {
        let text = format!("[{:?}{}", "[{", &format!(",{data}]"));
        prop_assert_eq!(depth_exceeds(&text, limit), 1 + depth(&data) > limit);
    }
}
