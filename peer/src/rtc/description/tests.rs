use super::{candidate::LeftOut, *};

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
    offer.answer(&offer.library_answer(LIBRARY), offer.answering_role())
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
fn what_is_not_for_data_is_rejected_in_its_place() {
    let media = format!(
        "a=group:BUNDLE a data\nm=audio 9 UDP/TLS/RTP/SAVPF 111 0\na=mid:a\n{{own}}{}m=video 0 RTP/AVP 96\na=mid:v\n",
        DATA.replace("{own}", "").replace("9 UDP", "0 UDP") + "a=bundle-only\n"
    );
    let parsed = Description::parse(&offer(&media)).unwrap();
    assert_eq!(parsed.stream(), (Some("data"), 1));
    let answer = parsed.answer(LIBRARY, Role::Passive);
    let sections: Vec<&str> = answer.lines().filter(|line| line.starts_with("m=")).collect();
    assert_eq!(
        sections,
        [
            "m=audio 0 UDP/TLS/RTP/SAVPF 111 0",
            "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
            "m=video 0 RTP/AVP 96"
        ]
    );
    assert!(answer.contains("a=group:BUNDLE data\r\n") && answer.contains("a=ice-ufrag:own\r\n"), "{answer}");
}

#[test]
fn the_form_before_rfc_8841_is_answered_in_it() {
    let answer = answer_to("m=application 9 DTLS/SCTP 6000\n{own}a=sctpmap:6000 webrtc-datachannel 1024\n");
    assert!(answer.contains("m=application 9 DTLS/SCTP 6000\r\n"), "{answer}");
    assert!(answer.contains("a=sctpmap:6000 webrtc-datachannel 65535\r\n") && !answer.contains("a=mid"), "{answer}");
}

#[test]
fn attributes_may_be_the_sessions() {
    let media =
        "{own}a=setup:active\na=ice-lite\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=max-message-size:0\n";
    let parsed = Description::parse(&offer(media)).unwrap();
    assert_eq!((parsed.max_message_size, parsed.answering_role()), (Some(0), Role::Passive));
    assert!(parsed.for_library(Role::Passive).contains("a=ice-lite\r\n"));
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
    assert_eq!(reason(&offer("m=audio 9 RTP/AVP 0\n{own}")), Unusable::NoDataChannel);
    assert_eq!(reason(&offer(&DATA.replace(" 9 ", " 0 "))), Unusable::Rejected);
    assert_eq!(reason(&DATA.replace("{own}", "")), Unusable::NoCredentials);
    assert_eq!(reason(&DATA.replace("{own}", "a=ice-ufrag:u\na=ice-pwd:p\n")), Unusable::NoFingerprint);
    let sha1 = "a=ice-ufrag:u\na=ice-pwd:p\na=fingerprint:sha-1 00:11\n";
    assert_eq!(reason(&DATA.replace("{own}", sha1)), Unusable::OtherFingerprint("sha-1".to_owned()));
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
            let library = parsed.for_library(Role::Active);
            proptest::prop_assert!(webrtc::peer_connection::RTCSessionDescription::offer(library).is_ok());
            let answer = parsed.answer(&parsed.library_answer(LIBRARY), Role::Passive);
            let sections = |sdp: &str| lines(sdp).filter(|line| line.starts_with("m=")).count();
            proptest::prop_assert_eq!(sections(&answer), sections(&sdp));
        }
        for line in lines(&text) {
            let _ = usable_candidate(line);
        }
    }
}
