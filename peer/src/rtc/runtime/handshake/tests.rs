use proptest::prelude::*;

use super::*;

const CLIENT_HELLO: u8 = 1;
const CERTIFICATE: u8 = 11;
const CHANGE_CIPHER_SPEC: u8 = 20;
const APPLICATION_DATA: u8 = 23;

fn record(content_type: u8, epoch: u8, body: &[u8]) -> Vec<u8> {
    let length = u8::try_from(body.len()).unwrap();
    let mut record = vec![content_type, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 0, 0, length];
    record.extend(body);
    record
}

/// A whole message of four bytes.
fn message(message_type: u8, number: u8) -> Vec<u8> {
    vec![message_type, 0, 0, 4, 0, number, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4]
}

fn plain(message_type: u8, number: u8) -> Vec<u8> {
    record(HANDSHAKE, 0, &message(message_type, number))
}

fn finished() -> Vec<u8> {
    [record(CHANGE_CIPHER_SPEC, 0, &[1]), record(HANDSHAKE, 1, &[7; 32])].concat()
}

impl Handshake {
    /// Whether the library gets to see this as it is.
    fn passes(&mut self, datagram: &[u8]) -> bool {
        let mut seen = datagram.to_vec();
        self.receives(&mut seen);
        seen == datagram
    }
}

#[test]
fn what_is_answered_is_kept_back_from_a_client() {
    let mut client = Handshake::default();
    let flight4 = [plain(SERVER_HELLO, 1), plain(CERTIFICATE, 2)].concat();
    client.sends(&plain(CLIENT_HELLO, 1));
    assert!(client.passes(&flight4) && client.passes(&flight4), "nothing was answered yet");
    client.sends(&[plain(CERTIFICATE, 2), finished()].concat());
    assert!(!client.passes(&flight4));
    assert!(!client.is_over());
    assert!(client.passes(&finished()));
    assert!(client.is_over() && client.passes(&flight4), "the library answers by its last flight");
}

#[test]
fn what_is_answered_is_kept_back_from_a_server() {
    let mut server = Handshake::default();
    let (first, second) = (plain(CLIENT_HELLO, 0), plain(CLIENT_HELLO, 1));
    let flight5 = [plain(CERTIFICATE, 2), finished()].concat();
    assert!(server.passes(&first));
    server.sends(&plain(HELLO_VERIFY_REQUEST, 0));
    assert!(server.passes(&first), "each is answered by a HelloVerifyRequest");
    assert!(server.passes(&second));
    server.sends(&plain(SERVER_HELLO, 1));
    assert!(!server.passes(&first) && !server.passes(&second));
    assert!(server.passes(&flight5) && !server.is_over());
    server.sends(&finished());
    assert!(server.is_over() && server.passes(&flight5), "the library answers by its last flight");
}

#[test]
fn a_record_with_one_new_message_passes() {
    let mut client = Handshake::default();
    assert!(client.passes(&plain(SERVER_HELLO, 1)));
    client.sends(&plain(CLIENT_HELLO, 1));
    let both = record(HANDSHAKE, 0, &[message(SERVER_HELLO, 1), message(CERTIFICATE, 2)].concat());
    assert!(client.passes(&both));
    client.sends(&plain(CERTIFICATE, 2));
    assert!(!client.passes(&both));
}

#[test]
fn a_new_record_passes_beside_an_old_one() {
    let mut client = Handshake::default();
    let (old, new) = (plain(SERVER_HELLO, 1), plain(CERTIFICATE, 2));
    assert!(client.passes(&old));
    client.sends(&plain(CLIENT_HELLO, 1));
    let mut datagram = [old.clone(), new.clone()].concat();
    client.receives(&mut datagram);
    assert_eq!(datagram[3..5], NEVER);
    assert_eq!(datagram[old.len()..], new);
}

#[test]
fn other_packets_pass() {
    let mut client = Handshake::default();
    for packet in [&[][..], &[0, 1, 0, 0], &[128; 40], &[22; 12], &record(APPLICATION_DATA, 1, &[0; 9])] {
        client.sends(packet);
        assert!(client.passes(packet));
    }
    assert!(!client.is_over());
}

#[test]
fn a_flood_of_messages_is_not_remembered() {
    let mut client = Handshake::default();
    for number in 0..=255 {
        client.receives(&mut plain(CERTIFICATE, number));
    }
    client.sends(&plain(CLIENT_HELLO, 0));
    assert_eq!(client.answered.len(), FRAGMENTS);
}

proptest! {
    #[test]
    fn any_bytes_do(datagrams in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..20)) {
        let mut handshake = Handshake::default();
        for mut datagram in datagrams {
            handshake.sends(&datagram);
            handshake.receives(&mut datagram);
        }
    }
}
