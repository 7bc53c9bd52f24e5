//! `docs/PROTOCOL.md` says what is so.

use super::{super::*, frame};

const PROTOCOL: &str = include_str!("../../../../docs/PROTOCOL.md");

fn section() -> &'static str {
    PROTOCOL.split_once("\n## 10. Streams between peers\n").expect("it is there").1
}

/// As people write it.
fn count(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().map(|group| str::from_utf8(group).unwrap()).collect();
    groups.join(",")
}

#[test]
fn the_numbers() {
    let mib = |bytes: u64| bytes / 1024 / 1024;
    for words in [
        format!("one after the other, {} bytes at most", count(FRAMES_BYTES)),
        format!("the next 1 to {} bytes", count(PIECE_BYTES)),
        format!("After {} s without that", UNKNOWN_MS / 1_000),
        format!("At first {} bytes of a stream", count(STREAM_WINDOW as usize)),
        format!("up to {} MiB, and up to {} MiB", mib(STREAM_WINDOW_MAX), mib(SHARED_WINDOW)),
        format!("| streams that one side has open | {STREAMS} |"),
        format!("| a label | 1 to {LABEL_BYTES} bytes |"),
        format!("| a reason | {REASON_BYTES} bytes |"),
        format!("| a message in a stream of messages | {} bytes |", count(MESSAGE_BYTES)),
        format!("| a datagram | {} bytes |", count(DATAGRAM_BYTES)),
        format!("| datagrams that wait to be read | {DATAGRAMS} |"),
        format!("version (one byte: {VERSION})"),
    ] {
        assert!(section().contains(&words), "{words}");
    }
    assert_eq!(WINDOW_MS, 1_000);
}

#[test]
fn the_kinds_of_frames() {
    let (stream, code, reason) = (StreamId(0), 0, "");
    let hello = Hello { session: [1; 8], known: [0; 8], next: 0, streams: vec![] };
    let frames = [
        ("hello", Frame::Hello(hello)),
        ("open", Frame::Open { stream, label: "x" }),
        ("data", Frame::Data { stream, position: 0, bytes: b"x" }),
        ("finish", Frame::Finish { stream }),
        ("reset", Frame::Reset { stream, code, reason }),
        ("stop", Frame::Stop { stream, code, reason }),
        ("taken", Frame::Taken { stream, taken: 0, limit: 0 }),
        ("done", Frame::Done { stream }),
        ("end", Frame::End { code, reason }),
    ];
    for (name, value) in frames {
        let bytes = frame(&value);
        assert!(section().contains(&format!("\n| {} | `{name}` |", bytes[0])), "{name}");
        assert_eq!(Frames::of(&bytes).unwrap().collect::<Vec<_>>(), [Ok(value)]);
    }
}

#[test]
fn the_example() {
    let trace = include_str!("../../../fixtures/streams/a_message_and_its_acknowledgement.json");
    let example = section().lines().filter_map(|line| line.strip_prefix("    "));
    assert!(example.clone().count() == 2 && example.into_iter().all(|bytes| trace.contains(&format!("\"{bytes}\""))));
}

#[test]
fn what_is_too_long_for_a_frame_ends_the_session() {
    let mut reset = vec![5, 0, 0, 0x41, 0x01];
    reset.extend([b'x'; REASON_BYTES + 1]);
    let mut open = vec![2, 0, 0x40, LABEL_BYTES as u8 + 1];
    open.extend([b'x'; LABEL_BYTES + 1]);
    for (message, code) in
        [(reset, code::BEYOND_BOUND), (open, code::BEYOND_BOUND), (vec![2, 0, 0], code::OUT_OF_PLACE)]
    {
        let mut session = Session::new([1; 8]);
        session.connected();
        session.receive(&frame(&Frame::Hello(Hello { session: [2; 8], known: [0; 8], next: 0, streams: vec![] })));
        session.receive(&message);
        let ended = std::iter::from_fn(|| session.poll_output()).last();
        assert!(matches!(ended, Some(Output::Ended { code: got, .. }) if got == code), "{ended:?}");
    }
}
