//! WebSocket frames (RFC 6455 section 5), as far as a client of grtc-server needs them: it sends whole messages only.

use std::ops::Range;

use anyhow::bail;

/// The mask is there to keep proxies from being fooled. Here it may as well be always the same one, so that a frame can
/// be made once and sent many times.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A text frame's opcode.
pub const TEXT: u8 = 0x1;
/// A close frame's opcode.
pub const CLOSE: u8 = 0x8;
/// A ping's opcode.
pub const PING: u8 = 0x9;
/// A pong's opcode.
pub const PONG: u8 = 0xa;

/// The bit of a message's last frame, beside its opcode.
pub const LAST: u8 = 0x80;

/// A client's whole message in one frame, ready to be sent.
#[must_use]
pub fn encode(opcode: u8, payload: &[u8]) -> Vec<u8> {
    masked(LAST | opcode, MASK, payload)
}

/// A client's frame whatever its first byte and its mask are.
#[must_use]
pub fn masked(first: u8, mask: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(payload.len() + 14);
    frame.push(first);
    match payload.len() {
        length @ 0..=125 => frame.push(0x80 | length.to_le_bytes()[0]),
        length => match u16::try_from(length) {
            Ok(length) => {
                frame.push(0x80 | 126);
                frame.extend(length.to_be_bytes());
            }
            Err(_) => {
                frame.push(0x80 | 127);
                frame.extend(u64::try_from(length).unwrap_or(u64::MAX).to_be_bytes());
            }
        },
    }
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// A server's frame at the start of `input`: its opcode, and where its payload stands. `None` until all of it is there.
///
/// # Errors
/// When it is masked or a fragment: grtc-server sends neither.
pub fn decode(input: &[u8]) -> anyhow::Result<Option<(u8, Range<usize>)>> {
    let [first, second, rest @ ..] = input else { return Ok(None) };
    if first & 0xf0 != 0x80 || second & 0x80 != 0 {
        bail!("the server sent a frame that is masked, a fragment, or has reserved bits: {first:#x} {second:#x}");
    }
    let (start, length) = match (second & 0x7f, rest) {
        (126, [a, b, ..]) => (4, u64::from(u16::from_be_bytes([*a, *b]))),
        (127, [a, b, c, d, e, f, g, h, ..]) => (10, u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h])),
        (126 | 127, _) => return Ok(None),
        (length, _) => (2, u64::from(length)),
    };
    let end = usize::try_from(length)?.saturating_add(start);
    Ok((end <= input.len()).then_some((first & 0x0f, start..end)))
}

/// Whether a message is of this `type`. Others that come by are no fault, unless they are an `error`.
///
/// # Errors
/// An `error` message of the server.
pub fn is(message: &[u8], kind: &str) -> anyhow::Result<bool> {
    // The server writes the type first, so that hardly any message has to be parsed.
    let quick = message.strip_prefix(br#"{"type":""#).and_then(|rest| rest.strip_prefix(kind.as_bytes()));
    if quick.is_some_and(|rest| rest.first() == Some(&b'"')) {
        return Ok(true);
    }
    let message: serde_json::Value = serde_json::from_slice(message)?;
    anyhow::ensure!(message["type"] != "error", "the server answered with an error: {message}");
    Ok(message["type"] == kind)
}

/// The number that stands first under this name, wherever in the message.
#[must_use]
pub fn number(message: &[u8], name: &str) -> Option<u64> {
    let name = format!("\"{name}\":");
    let start = message.windows(name.len()).position(|bytes| bytes == name.as_bytes())? + name.len();
    let digits = message.get(start..)?.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(None, |number, digit| Some(number.unwrap_or(0) * 10 + u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(payload: &[u8]) -> Vec<u8> {
        let mut frame = encode(TEXT, payload);
        let mask = frame.len() - payload.len() - 4;
        frame[1] &= 0x7f;
        frame.truncate(mask);
        frame.extend(payload);
        frame
    }

    #[test]
    fn reads_every_length_and_waits_for_the_rest() {
        for length in [0, 1, 125, 126, 65_535, 65_536] {
            let payload = vec![b'x'; length];
            let frame = served(&payload);
            let (opcode, range) = decode(&frame).unwrap().unwrap();
            assert_eq!((opcode, &frame[range]), (TEXT, &payload[..]));
            assert!(decode(&frame[..frame.len() - 1]).unwrap().is_none());
        }
    }

    #[test]
    fn masks_what_it_sends() {
        assert_eq!(encode(TEXT, b"Hello"), b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
    }

    #[test]
    fn finds_a_number_by_its_name() {
        assert_eq!(number(br#"{"type":"x","seq":12,"n":3}"#, "seq"), Some(12));
        assert_eq!(number(br#"{"seq":"12"}"#, "seq"), None);
        assert_eq!(number(b"{}", "seq"), None);
    }

    #[test]
    fn tells_the_type_wherever_it_stands() {
        assert!(is(br#"{"type":"pong"}"#, "pong").unwrap());
        assert!(is(br#"{"x":1,"type":"pong"}"#, "pong").unwrap());
        assert!(!is(br#"{"type":"ponging"}"#, "pong").unwrap());
        assert!(is(br#"{"type":"error","code":"bad_json"}"#, "pong").is_err());
    }
}
