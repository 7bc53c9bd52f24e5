//! Messages on a stream, one behind the other (RFC 8656, section 12.5): each says how long it is.

use super::channel_data::CHANNELS;

/// Bytes that say how long a message is.
const HEAD: usize = 4;
/// Bytes of STUN before its attributes, and what they have behind their first four.
const STUN_HEADER: usize = 20;
const COOKIE: [u8; 4] = 0x2112_A442_u32.to_be_bytes();

/// What is no message, nor will be when more comes: nobody knows where the next one begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stream has no STUN or ChannelData message where one has to begin")]
pub struct Broken;

/// How many bytes the first message has, with the padding that it has on a stream, 65,556 at most; none when it is not whole yet.
///
///
/// # Errors
/// [`Broken`], as soon as that can be seen.
pub fn first(bytes: &[u8]) -> Result<Option<usize>, Broken> {
    if bytes.first().is_some_and(|first| first >> 6 > 1) {
        return Err(Broken);
    }
    let Some(head) = bytes.first_chunk::<HEAD>() else { return Ok(None) };
    let [kind, length] = [[head[0], head[1]], [head[2], head[3]]].map(u16::from_be_bytes);
    let length = usize::from(length);
    let whole = if kind >> 14 == 0 {
        if length % 4 != 0 || bytes.get(HEAD..2 * HEAD).is_some_and(|cookie| cookie != COOKIE) {
            return Err(Broken);
        }
        STUN_HEADER + length
    } else if CHANNELS.contains(&kind) {
        (HEAD + length).next_multiple_of(4)
    } else {
        return Err(Broken);
    };
    Ok((whole <= bytes.len()).then_some(whole))
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::relay::{
        channel_data,
        stun::{Class, Writer, attribute, method},
    };

    fn message() -> impl Strategy<Value = Vec<u8>> {
        let channel = (CHANNELS, vec(any::<u8>(), 0..300)).prop_map(|(channel, data)| {
            let mut frame = channel_data::frame(channel, &data).unwrap();
            frame.resize(frame.len().next_multiple_of(4), 0);
            frame
        });
        let stun = vec(any::<u8>(), 0..300).prop_map(|data| {
            Writer::new(Class::Indication, method::SEND, [7; 12]).attribute(attribute::DATA, &data).finish()
        });
        prop_oneof![channel, stun]
    }

    proptest! {
        #[test]
        fn however_they_are_cut_the_same_messages_come(messages in vec(message(), 0..8), cuts in vec(1..200_usize, 1..40)) {
            let sent = messages.concat();
            let (mut buffer, mut sent, mut come) = (Vec::new(), &sent[..], Vec::new());
            for cut in cuts.into_iter().chain([usize::MAX]) {
                let (now, later) = sent.split_at(cut.min(sent.len()));
                (buffer, sent) = ([&buffer[..], now].concat(), later);
                while let Some(length) = first(&buffer).unwrap() {
                    come.push(buffer.drain(..length).collect());
                }
            }
            prop_assert_eq!((come, buffer), (messages, Vec::<u8>::new()));
        }

        #[test]
        fn anything_may_come(bytes in vec(any::<u8>(), 0..64)) {
            if let Ok(Some(length)) = first(&bytes) {
                prop_assert!(length >= 4 && length % 4 == 0 && length <= bytes.len());
            }
        }
    }

    #[test]
    fn what_can_be_no_message_is_seen_at_once() {
        for bytes in [
            &b"\x80"[..],
            b"\xFF\xFF",
            b"\x7F\xFF\0\0",
            b"\0\x01\0\x03",
            b"\0\x01\0\0GET ",
            b"\0\x01\0\0\x21\x12\xA4\x43",
        ] {
            assert_eq!(first(bytes), Err(Broken), "{}", bytes.escape_ascii());
        }
        for bytes in [
            &b""[..],
            b"\0",
            b"G",
            b"\x5A\x01\0",
            b"\0\x01\0\0",
            b"\0\x01\0\0\x21",
            b"\x40\0\0\x01",
            b"\x40\0\0\x01x\0\0",
        ] {
            assert_eq!(first(bytes), Ok(None), "{}", bytes.escape_ascii());
        }
        assert_eq!(first(b"\x40\0\0\x01x\0\0\0\x40"), Ok(Some(8)));
    }
}
