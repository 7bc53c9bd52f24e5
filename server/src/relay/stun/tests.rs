//! What is written is read again, what is read is within its bytes, and RFC 5769's samples are understood.

use proptest::{collection::vec, prelude::*};

use super::*;

/// RFC 5769, section 2.1: a request with SOFTWARE, PRIORITY, ICE-CONTROLLED and USERNAME.
const SAMPLE: &[u8] = b"\x00\x01\x00\x58\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
    \x80\x22\x00\x10STUN test client\x00\x24\x00\x04\x6e\x00\x01\xff\x80\x29\x00\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36\
    \x00\x06\x00\x09\x65\x76\x74\x6a\x3a\x68\x36\x76\x59\x20\x20\x20\x00\x08\x00\x14\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\
    \x78\x1e\xf2\xb5\xb2\xd3\xf2\x49\xc1\xb5\x71\xa2\x80\x28\x00\x04\xe5\x7a\x3b\xcf";
/// RFC 5769, section 2.2: an answer with an IPv4 address.
const SAMPLE_V4: &[u8] = b"\x01\x01\x00\x3c\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
    \x80\x22\x00\x0b\x74\x65\x73\x74\x20\x76\x65\x63\x74\x6f\x72\x20\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43\
    \x00\x08\x00\x14\x2b\x91\xf5\x99\xfd\x9e\x90\xc3\x8c\x74\x89\xf9\x2a\xf9\xba\x53\xf0\x6b\xe7\xd7\
    \x80\x28\x00\x04\xc0\x7d\x4c\x96";
const PASSWORD: &[u8] = b"VOkJxbRl1RmTxUk/WvJxBt";

#[test]
fn the_samples_of_the_rfc_are_understood() {
    let request = Message::parse(SAMPLE).unwrap();
    assert_eq!((request.class(), request.method()), (Class::Request, method::BINDING));
    assert_eq!(request.text(attribute::USERNAME), Some("evtj:h6vY"));
    assert!(request.has_integrity() && request.is_proven_by(PASSWORD) && !request.is_proven_by(b"another"));
    let answer = Message::parse(SAMPLE_V4).unwrap();
    assert_eq!((answer.class(), answer.is_proven_by(PASSWORD)), (Class::Success, true));
    let mapped = answer.addresses(attribute::XOR_MAPPED_ADDRESS).next().flatten();
    assert_eq!(mapped, Some("192.0.2.1:32853".parse().unwrap()));
}

#[test]
fn an_attribute_behind_the_integrity_does_not_count() {
    let written = Writer::new(Class::Request, method::REFRESH, [7; 12]).integrity(b"key");
    let forged = written.attribute(attribute::LIFETIME, &[0; 4]).finish();
    let message = Message::parse(&forged).unwrap();
    assert!(message.has_integrity() && message.is_proven_by(b"key"));
    assert_eq!(message.number(attribute::LIFETIME), None);
}

#[test]
fn what_is_no_whole_message_is_none() {
    for end in 0..SAMPLE.len() {
        assert!(Message::parse(&SAMPLE[..end]).is_none(), "{end}");
    }
    // But for the fingerprint's own type: without it there is nothing to be wrong.
    let fingerprint = SAMPLE.len() - 8;
    for flipped in (0..SAMPLE.len()).filter(|at| !(fingerprint..fingerprint + 2).contains(at)) {
        let mut bytes = SAMPLE.to_vec();
        bytes[flipped] ^= 1;
        assert!(Message::parse(&bytes).is_none(), "a wrong fingerprint at {flipped}");
    }
    let twice = Writer::new(Class::Request, 1, [0; 12]).fingerprint().fingerprint().finish();
    assert!(Message::parse(&twice).is_none());
}

fn classes() -> impl Strategy<Value = Class> {
    prop_oneof![Just(Class::Request), Just(Class::Indication), Just(Class::Success), Just(Class::Error)]
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        class in classes(), method in 0..0x1000_u16, transaction: Transaction, text in "\\PC{0,40}",
        addresses in vec(any::<(std::net::IpAddr, u16)>(), 0..4), key in vec(any::<u8>(), 0..40), signed: bool,
    ) {
        let addresses: Vec<SocketAddr> = addresses.into_iter().map(SocketAddr::from).collect();
        let mut writer = Writer::new(class, method, transaction).attribute(attribute::USERNAME, text.as_bytes());
        for address in &addresses {
            writer = writer.address(attribute::XOR_PEER_ADDRESS, *address);
        }
        if signed {
            writer = writer.integrity(&key);
        }
        let bytes = writer.fingerprint().finish();
        let message = Message::parse(&bytes).unwrap();
        prop_assert_eq!((message.class(), message.method()), (class, method));
        prop_assert_eq!((message.transaction(), message.size()), (transaction, bytes.len()));
        prop_assert_eq!(message.text(attribute::USERNAME), Some(&*text));
        let read: Option<Vec<SocketAddr>> = message.addresses(attribute::XOR_PEER_ADDRESS).collect();
        prop_assert_eq!(read, Some(addresses));
        prop_assert_eq!((message.has_integrity(), message.is_proven_by(&key)), (signed, signed));
    }

    #[test]
    fn anything_can_be_read(kind: u16, transaction: Transaction, rest in vec(any::<u8>(), 0..128)) {
        let mut bytes = Writer::new(Class::Request, kind & 0xFFF, transaction).finish();
        bytes.extend(&rest);
        set_length(&mut bytes, 0);
        for bytes in [&bytes, &rest] {
            if let Some(message) = Message::parse(bytes) {
                let held: usize = message.attributes().map(|(_, value)| ATTRIBUTE + value.len()).sum();
                prop_assert!(held <= rest.len());
                let _ = message.addresses(attribute::XOR_PEER_ADDRESS).count();
                prop_assert!(message.has_integrity() || !message.is_proven_by(b"key"));
            }
        }
    }
}
