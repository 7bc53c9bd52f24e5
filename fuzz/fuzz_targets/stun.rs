//! Messages of STUN and TURN, alone and one behind the other on a stream. What is read of one is within it, and written anew it is read the same.
#![no_main]

use grtc_server::relay::{
    channel_data, frames,
    stun::{Message, Writer, attribute},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Some((channel, data)) = channel_data::parse(bytes) {
        assert!(bytes.starts_with(&channel_data::frame(channel, data).expect("it was one")));
    }
    let mut stream = bytes;
    while let Ok(Some(length)) = frames::first(stream) {
        assert!(length % 4 == 0, "what is on a stream is padded");
        stream = stream.split_at(length).1;
    }
    let Some(message) = Message::parse(bytes) else { return };
    let _ = message.is_proven_by(b"key");
    let mut writer = Writer::new(message.class(), message.method(), message.transaction());
    for (kind, value) in message.attributes() {
        writer = writer.attribute(kind, value);
    }
    for address in message.addresses(attribute::XOR_PEER_ADDRESS).flatten() {
        writer = writer.address(attribute::XOR_PEER_ADDRESS, address);
    }
    let written = writer.integrity(b"key").fingerprint().finish();
    let Some(again) = Message::parse(&written) else {
        assert!(written.len() > usize::from(u16::MAX), "what was written can't be read");
        return;
    };
    assert!(again.is_proven_by(b"key"));
    assert!(again.attributes().zip(message.attributes()).all(|(again, before)| again == before));
    assert_eq!((again.class(), again.method()), (message.class(), message.method()));
});
