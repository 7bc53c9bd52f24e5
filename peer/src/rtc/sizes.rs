//! What the two sides say about sizes in their descriptions: how long a message may be (RFC 8841), and, between peers of
//! this kind, how much the receiver's UDP socket holds.

use crate::limits::{MESSAGE_BYTES, UNSAID_MESSAGE_BYTES, UNSAID_SOCKET_BYTES};

const MESSAGE: &str = "a=max-message-size:";
const SOCKET: &str = "a=grtc-socket-buffer:";

/// What one side takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sizes {
    /// The longest message, in bytes.
    pub(super) message: usize,
    /// What its UDP socket holds, in bytes.
    pub(super) socket: usize,
}

impl Sizes {
    /// Those of the side that this description comes from.
    pub(super) fn of(sdp: &str) -> Self {
        let said = |name| application(sdp).find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok());
        let bytes = |said| usize::try_from(said).unwrap_or(usize::MAX);
        Self {
            message: match said(MESSAGE) {
                // Any length.
                Some(0) => MESSAGE_BYTES,
                Some(said) => bytes(said).min(MESSAGE_BYTES),
                None => UNSAID_MESSAGE_BYTES,
            },
            socket: said(SOCKET).map_or(UNSAID_SOCKET_BYTES, bytes),
        }
    }
}

/// The description as the library is to see it. It takes the smaller of both sides' longest messages as the bound of both
/// directions, so that what this side has announced would not arrive: it is told our own, and this side keeps to what the
/// other one really said. Can go when the library bounds what it receives by its own announcement alone.
pub(super) fn lifted(sdp: &str) -> String {
    with(sdp, MESSAGE, MESSAGE_BYTES)
}

/// An own description, which says what this side's UDP sockets hold.
pub(super) fn announcing(sdp: &str, socket: usize) -> String {
    with(sdp, SOCKET, socket)
}

/// The lines of the data channels' section.
fn application(sdp: &str) -> impl Iterator<Item = &str> {
    let lines = sdp.lines().skip_while(|line| !line.starts_with("m=application"));
    lines.enumerate().take_while(|(number, line)| *number == 0 || !line.starts_with("m=")).map(|(_, line)| line)
}

/// The description with this attribute, once, in the data channels' section.
fn with(sdp: &str, name: &str, value: usize) -> String {
    let (mut out, mut inside) = (String::with_capacity(sdp.len() + 48), false);
    for line in sdp.lines() {
        if line.starts_with("m=") {
            close(&mut out, &mut inside, name, value);
            inside = line.starts_with("m=application");
        }
        if !(inside && line.starts_with(name)) {
            out.push_str(line);
            out.push_str("\r\n");
        }
    }
    close(&mut out, &mut inside, name, value);
    out
}

fn close(out: &mut String, inside: &mut bool, name: &str, value: usize) {
    if std::mem::take(inside) {
        out.push_str(&format!("{name}{value}\r\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(attributes: &str) -> String {
        format!(
            "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=max-message-size:7\r\n\
             m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:data\r\n{attributes}a=sctp-port:5000\r\n"
        )
    }

    #[test]
    fn a_size_is_what_was_said_or_the_smaller_default() {
        for (said, message) in [
            ("", 65_535),
            ("a=max-message-size:0\r\n", 262_144),
            ("a=max-message-size:65536\r\n", 65_536),
            ("a=max-message-size:1200\r\n", 1_200),
            ("a=max-message-size:1073741823\r\n", 262_144),
            ("a=max-message-size:18446744073709551615\r\n", 262_144),
            ("a=max-message-size:many\r\n", 65_535),
            ("a=max-message-size:-1\r\n", 65_535),
        ] {
            assert_eq!(Sizes::of(&offer(said)).message, message, "{said}");
        }
        assert_eq!(Sizes::of("a=max-message-size:100\r\n").message, 65_535, "there is no section");
        assert_eq!(Sizes::of(&offer("a=grtc-socket-buffer:212992\r\n")).socket, 212_992);
        assert_eq!(Sizes::of(&offer("")).socket, UNSAID_SOCKET_BYTES);
    }

    #[test]
    fn the_library_sees_our_own_bound_and_everything_else_as_it_was() {
        let (said, unsaid) = (offer("a=max-message-size:1200\r\n"), offer(""));
        assert_eq!(Sizes::of(&lifted(&said)).message, MESSAGE_BYTES);
        assert_eq!(lifted(&said), lifted(&unsaid));
        assert_eq!(lifted(&unsaid).replace("a=max-message-size:262144\r\n", ""), unsaid);
        assert_eq!(lifted(&said.replace("\r\n", "\n")), lifted(&said));
        assert_eq!(lifted("v=0\r\n"), "v=0\r\n");
    }

    #[test]
    fn what_the_socket_holds_is_said_once() {
        let twice = announcing(&announcing(&offer(""), 1), 2);
        assert_eq!((Sizes::of(&twice).socket, twice.matches(SOCKET).count()), (2, 1));
    }
}
