use super::*;
use crate::limits::SECTIONS;

const FINGERPRINT: &str =
    "54:1B:ED:79:44:10:E4:B0:31:96:0C:83:B6:6A:0B:97:A6:DA:FE:0A:E0:93:66:33:58:D9:68:8D:4A:5A:34:69";
const LIBRARY: &str = "v=0\r\no=- 7 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=setup:active\r\na=mid:0\r\na=sctp-port:5000\r\n\
    a=ice-ufrag:own\r\na=ice-pwd:ownpassword\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n";

/// An offer with this media part, credentials and fingerprint in it.
fn offer(media: &str) -> String {
    let own = format!("a=ice-ufrag:u\na=ice-pwd:passwordpasswordpassw\na=fingerprint:sha-256 {FINGERPRINT}\n");
    format!("v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nt=0 0\n{}", media.replace("{own}", &own))
}

const DATA: &str = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:data\n{own}a=sctp-port:5000\n";

fn answer_to(media: &str) -> String {
    let offer = Description::parse(&offer(media)).unwrap();
    offer.answer(LIBRARY, offer.answering_role())
}

#[test]
fn who_begins_the_handshake_is_what_the_other_side_leaves() {
    for (setup, answered) in [
        ("a=setup:actpass\n", "a=setup:passive"),
        ("a=setup:actpass\na=grtc-socket-buffer:212992\n", "a=setup:active"),
        ("a=setup:active\n", "a=setup:passive"),
        ("a=setup:passive\n", "a=setup:active"),
        ("a=setup:holdconn\n", "a=setup:passive"),
        ("", "a=setup:passive"),
    ] {
        let answer = answer_to(&format!("{DATA}{setup}"));
        assert!(answer.contains(answered), "{setup}: {answer}");
        assert_eq!(answer.matches("a=setup:").count(), 1);
    }
}

#[test]
fn an_offer_may_be_that_of_a_lite_agent() {
    let parsed = Description::parse(&lite(&offer(DATA).replace('\n', "\r\n"))).unwrap();
    assert!(parsed.ice_lite && !Description::parse(&offer(DATA)).unwrap().ice_lite);
}

#[test]
fn what_is_not_for_data_is_rejected_in_its_place_but_for_what_carries_the_bundle() {
    let media = format!(
        "a=group:BUNDLE a data\nm=audio 9 UDP/TLS/RTP/SAVPF 111 0\na=mid:a\na=rtpmap:111 opus/48000/2\na=rtpmap:0 PCMU/8000\n\
         a=rtcp-mux\na=fmtp:111 minptime=10;useinbandfec=1\na=fmtp:111 \"\n{{own}}{}m=video 0 RTP/AVP 96\na=mid:v\n",
        DATA.replace("{own}", "").replace("9 UDP", "0 UDP") + "a=bundle-only\n"
    );
    let parsed = Description::parse(&offer(&media)).unwrap();
    assert_eq!(parsed.stream(), (Some("a"), 0), "the transport stands there");
    let answer = parsed.answer(LIBRARY, Role::Passive);
    let sections: Vec<&str> = answer.lines().filter(|line| line.starts_with("m=")).collect();
    assert_eq!(
        sections,
        ["m=audio 9 UDP/TLS/RTP/SAVPF 111", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "m=video 0 RTP/AVP 96"]
    );
    assert!(answer.contains("a=group:BUNDLE a data\r\n"), "{answer}");
    assert_eq!(answer.matches("a=ice-ufrag:own\r\n").count(), 2, "{answer}");
    let silent = "a=mid:a\r\na=inactive\r\na=rtpmap:111 opus/48000/2\r\na=rtcp-mux\r\na=fmtp:111 minptime=10;useinbandfec=1\r\na=setup:passive\r\n";
    assert!(answer.contains(silent), "{answer}");
}

#[test]
fn the_form_before_rfc_8841_is_answered_in_it() {
    let answer = answer_to("m=application 9 DTLS/SCTP 6000\n{own}a=sctpmap:6000 webrtc-datachannel 1024\n");
    assert!(answer.contains("m=application 9 DTLS/SCTP 5000\r\n"), "{answer}");
    assert!(answer.contains("a=sctpmap:5000 webrtc-datachannel 65535\r\n") && !answer.contains("a=mid"), "{answer}");
}

#[test]
fn who_has_another_sctp_port_begins() {
    for (setup, role) in [("actpass", Role::Passive), ("active", Role::Passive), ("passive", Role::Active)] {
        let media = format!("{}a=setup:{setup}\n", DATA.replace("5000", "5001"));
        let parsed = Description::parse(&offer(&media)).unwrap();
        assert_eq!(parsed.answering_role(), role, "{setup}");
        let refused = (role == Role::Active).then_some(Unusable::OtherPort(5001));
        assert_eq!(parsed.for_library(role).err(), refused, "{setup}");
    }
}

#[test]
fn attributes_may_be_the_sessions() {
    let media =
        "{own}a=setup:active\na=ice-lite\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=max-message-size:0\n";
    let parsed = Description::parse(&offer(media)).unwrap();
    assert_eq!((parsed.sizes.message, parsed.answering_role()), (MESSAGE_BYTES, Role::Passive));
    assert!(parsed.for_library(Role::Passive).unwrap().contains("a=ice-lite\r\n"));
}

#[test]
fn one_fingerprint_of_several_is_enough() {
    let own = format!(
        "a=ice-ufrag:u\na=ice-pwd:p\na=fingerprint:sha-1 00:11\na=fingerprint:SHA-256 {}\n",
        FINGERPRINT.to_lowercase()
    );
    let parsed = Description::parse(&DATA.replace("{own}", &own)).unwrap();
    assert_eq!(parsed.fingerprint, FINGERPRINT);
}

#[test]
fn what_can_not_be_used_is_named() {
    let reason = |sdp: &str| Description::parse(sdp).unwrap_err();
    assert_eq!(reason(""), Unusable::NoSection);
    assert_eq!(reason(&"a".repeat(DESCRIPTION_BYTES + 1)), Unusable::TooLong);
    assert_eq!(reason(&"m=audio 0 RTP/AVP 0\n".repeat(SECTIONS + 1)), Unusable::TooManySections);
    for line in ["m=audio 0\n", "m=\n", "m=audio 0 RTP/AVP \"\n", "m=audio 0 \u{1} 0\n"] {
        assert_eq!(reason(line), Unusable::Malformed, "{line:?}");
    }
    assert_eq!(reason(&offer("m=audio 9 RTP/AVP 0\n{own}")), Unusable::NoDataChannel);
    assert_eq!(reason(&offer(&DATA.replace(" 9 ", " 0 "))), Unusable::Rejected);
    assert_eq!(reason(&DATA.replace("{own}", "")), Unusable::NoCredentials);
    assert_eq!(reason(&DATA.replace("{own}", "a=ice-ufrag:u\na=ice-pwd:p\n")), Unusable::NoFingerprint);
    let sha1 = "a=ice-ufrag:u\na=ice-pwd:p\na=fingerprint:sha-1 00:11\n";
    assert_eq!(reason(&DATA.replace("{own}", sha1)), Unusable::OtherFingerprint("sha-1".to_owned()));
    assert_eq!(reason(&DATA.replace("{own}", &sha1.replace("sha-1", "sha-256"))), Unusable::BadFingerprint);
}

/// A message to the server may have 64 KiB; a longer one ends the stay.
#[test]
fn an_answer_is_a_message_that_the_server_takes() {
    let words = format!(" {}", "x".repeat(255));
    let mut sections = "m=x 0 x x\n".repeat(SECTIONS - 1);
    while sections.len() + 2_000 < DESCRIPTION_BYTES {
        sections.insert_str("m=x 0 x x".len(), &words);
    }
    let answer = answer_to(&format!("{sections}{DATA}"));
    let message = serde_json::to_string(&answer).unwrap();
    assert!(
        (DESCRIPTION_BYTES..grtc_protocol::limits::MESSAGE_BYTES - 1_000).contains(&message.len()),
        "{}",
        message.len()
    );
}

#[test]
fn one_candidate_is_used_or_left_out_for_itself() {
    assert_eq!(
        usable_candidate("a=candidate:f 1 UDP 5 192.0.2.1 9000 typ srflx raddr 0.0.0.0 rport 0 generation 0 ufrag x")
            .unwrap(),
        "candidate:f 1 udp 5 192.0.2.1 9000 typ srflx"
    );
    assert!(usable_candidate("candidate:1 1 udp 1 b1b2.local 9 typ host").is_ok());
    for (candidate, left_out) in [
        ("candidate:1 2 udp 1 192.0.2.1 9 typ host", LeftOut::Component),
        ("candidate:1 1 tcp 1 192.0.2.1 9 typ host tcptype active", LeftOut::Transport("tcp".to_owned())),
        ("candidate:1 1 udp 1 host.example.org 9 typ host", LeftOut::Name),
        ("candidate:1 1 udp 1 .local 9 typ host", LeftOut::Name),
        ("candidate:1 1 udp 1 fe80::1%eth0 9 typ host", LeftOut::Address),
        ("candidate:1 1 udp 1 fe80::1 9 typ host", LeftOut::Address),
        ("candidate:1 1 udp 1 0.0.0.0 9 typ host", LeftOut::Address),
        ("candidate:1 1 udp 1 192.0.2.1 0 typ host", LeftOut::Malformed),
        ("candidate:1 1 udp 1 192.0.2.1 9 typ nobody", LeftOut::Malformed),
        ("candidate:1 1 udp 1", LeftOut::Malformed),
        ("rubbish\u{0}", LeftOut::Malformed),
    ] {
        assert_eq!(usable_candidate(candidate), Err(left_out), "{candidate}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_taken_or_refused(text in "([vomcast]=[ -~]{0,40}(\r\n|\n|\r)|a=(mid|setup|candidate|fingerprint|group):[ -~\u{80}-\u{ff}]{0,60}\n){0,40}") {
        let _ = Description::parse(&text);
        let sdp = format!("{}{text}", offer(DATA));
        if let Ok(parsed) = Description::parse(&sdp) {
            let library = parsed.for_library(Role::Passive).unwrap();
            proptest::prop_assert!(webrtc::peer_connection::RTCSessionDescription::offer(library).is_ok());
            let answer = parsed.answer(LIBRARY, Role::Passive);
            let sections = |sdp: &str| lines(sdp).filter(|line| line.starts_with("m=")).count();
            proptest::prop_assert_eq!(sections(&answer), sections(&sdp));
        }
        for line in lines(&text) {
            let _ = usable_candidate(line);
        }
    }
}
