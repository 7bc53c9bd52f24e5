//! What a program relies on, one by one.

mod bounds;
mod documented;

use super::*;

fn pair() -> [Session; 2] {
    let mut pair = [Session::new([1; 8]), Session::new([2; 8])];
    connect(&mut pair);
    pair
}

fn connect(pair: &mut [Session; 2]) {
    pair.iter_mut().for_each(Session::connected);
    carry(pair);
}

/// Carries messages until there are none.
fn carry([a, b]: &mut [Session; 2]) {
    loop {
        let (there, back) = (a.poll_transmit(), b.poll_transmit());
        if there.is_none() && back.is_none() {
            break;
        }
        there.inspect(|message| b.receive(message));
        back.inspect(|message| a.receive(message));
    }
}

fn outputs(session: &mut Session) -> Vec<Output> {
    std::iter::from_fn(|| session.poll_output()).collect()
}

fn read_all(session: &mut Session, now: u64, stream: StreamId) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(Read::Bytes(bytes)) = session.read(now, stream, usize::MAX) {
        all.extend(bytes);
    }
    all
}

/// One frame, as the second side of a pair sends it.
fn frame(frame: &Frame<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    frame.put(&mut out);
    out
}

#[test]
fn a_longest_message_arrives_and_is_acknowledged_when_the_program_has_it() {
    let mut pair = pair();
    let message = Content::Text("ü".repeat(MESSAGE_BYTES / 2));
    let stream = pair[0].open("chat").unwrap();
    let end = pair[0].write(0, stream, &message.to_bytes()).unwrap();
    carry(&mut pair);
    assert_eq!(outputs(&mut pair[0]), [Output::Linked { restarted: false }], "nobody has read it");
    let (mut messages, there) = (Messages::default(), stream.seen_from_there());
    let mut got = None;
    while got.is_none() {
        messages.push(&read_all(&mut pair[1], 0, there));
        got = messages.take().unwrap();
        carry(&mut pair);
    }
    assert_eq!(got, Some(message));
    assert_eq!(outputs(&mut pair[0]).pop(), Some(Output::Acknowledged { stream, position: end }));
    assert_eq!(pair[0].write(0, stream, &vec![0; WRITE_BYTES + 1]), Err(WriteError::TooLong));
}

#[test]
fn messages_come_out_of_bytes_that_are_cut_anywhere() {
    let sent = [
        Content::Text(String::new()),
        Content::Binary(vec![]),
        Content::Text("é".into()),
        Content::Binary(vec![7; 20_000]),
    ];
    let bytes: Vec<u8> = sent.iter().flat_map(Content::to_bytes).collect();
    for count in [1, 2, 3, 1_000, bytes.len()] {
        let (mut messages, mut got) = (Messages::default(), Vec::new());
        for part in bytes.chunks(count) {
            messages.push(part);
            got.extend(std::iter::from_fn(|| messages.take().unwrap()));
        }
        assert_eq!(got, sent);
    }
    let take = |bytes: &[u8]| {
        let mut messages = Messages::default();
        messages.push(bytes);
        messages.take()
    };
    assert_eq!(take(&[3, 0xff]), Err(NotAMessage::NotUtf8));
    assert_eq!(take(&[0xff; 8]), Err(NotAMessage::TooLong));
    assert_eq!(take(&[0x80, 0x08, 0x00, 0x02]), Err(NotAMessage::TooLong));
    assert_eq!(take(&[0x80, 0x08, 0x00, 0x01]), Ok(None));
}

#[test]
fn a_restarted_side_is_noticed_and_streams_are_reset_never_joined() {
    let mut pair = pair();
    let stream = pair[0].open("chat").unwrap();
    pair[0].write(0, stream, b"to the first").unwrap();
    carry(&mut pair);
    outputs(&mut pair[0]);
    pair[1] = Session::new([3; 8]);
    connect(&mut pair);
    let reset = Output::Reset { stream, code: code::RESTARTED, reason: "the other side was restarted".into() };
    assert_eq!(outputs(&mut pair[0]), [reset, Output::Linked { restarted: true }]);
    assert_eq!(outputs(&mut pair[1]), [Output::Linked { restarted: false }]);
    assert_eq!(pair[0].write(0, stream, b"x"), Err(WriteError::Ended));
    let again = pair[0].open("chat").unwrap();
    pair[0].write(0, again, b"to the second").unwrap();
    carry(&mut pair);
    assert_eq!(read_all(&mut pair[1], 0, again.seen_from_there()), b"to the second");
}

#[test]
fn who_has_talked_to_another_since_begins_anew() {
    let mut pair = pair();
    let stream = pair[0].open("chat").unwrap();
    pair[0].write(0, stream, b"had").unwrap();
    carry(&mut pair);
    read_all(&mut pair[1], 0, stream.seen_from_there());
    carry(&mut pair);
    outputs(&mut pair[0]);
    let [first, second] = pair;
    let mut between = [Session::new([3; 8]), second];
    connect(&mut between);
    let mut pair = [first, between.into_iter().nth(1).unwrap()];
    connect(&mut pair);
    let reset = Output::Reset { stream, code: code::RESTARTED, reason: "the other side was restarted".into() };
    assert_eq!(outputs(&mut pair[0]), [reset, Output::Linked { restarted: true }]);
    let again = pair[0].open("chat").unwrap();
    pair[0].write(0, again, b"again").unwrap();
    carry(&mut pair);
    assert_eq!(read_all(&mut pair[1], 0, again.seen_from_there()), b"again");
}

#[test]
fn what_has_no_answer_for_two_minutes_is_unknown_and_may_still_arrive() {
    let mut pair = [Session::new([1; 8]), Session::new([2; 8])];
    let stream = pair[0].open("chat").unwrap();
    let first = pair[0].write(1_000, stream, b"first").unwrap();
    let second = pair[0].write(5_000, stream, b"second").unwrap();
    assert_eq!(pair[0].poll_timeout(), Some(1_000 + UNKNOWN_MS));
    pair[0].handle_timeout(999 + UNKNOWN_MS);
    assert_eq!(outputs(&mut pair[0]), []);
    pair[0].handle_timeout(1_000 + UNKNOWN_MS);
    assert_eq!(outputs(&mut pair[0]), [Output::Unknown { stream, position: first }]);
    assert_eq!(pair[0].poll_timeout(), Some(5_000 + UNKNOWN_MS));
    connect(&mut pair);
    read_all(&mut pair[1], 0, stream.seen_from_there());
    carry(&mut pair);
    assert_eq!(outputs(&mut pair[0]).pop(), Some(Output::Acknowledged { stream, position: second }));
    assert_eq!(pair[0].poll_timeout(), None);
}

#[test]
fn what_is_stopped_does_not_count_as_had() {
    let mut pair = pair();
    let stream = pair[0].open("chat").unwrap();
    pair[0].write(0, stream, b"unread").unwrap();
    pair[0].finish(stream);
    carry(&mut pair);
    outputs(&mut pair[0]);
    pair[1].stop(stream.seen_from_there(), 7, "enough");
    // The frame that says so is lost.
    pair[1].poll_transmit();
    connect(&mut pair);
    let stopped = Output::Stopped { stream, code: 7, reason: "enough".into() };
    assert_eq!(outputs(&mut pair[0]), [Output::Linked { restarted: false }, stopped]);
    pair[1].finish(stream.seen_from_there());
    carry(&mut pair);
    assert_eq!(pair[0].read(0, stream, 1), Some(Read::End));
    carry(&mut pair);
    assert_eq!(pair.map(|session| session.held().streams), [0, 0]);
}

#[test]
fn datagrams_arrive_or_are_lost_and_wait_in_a_bounded_queue() {
    let mut pair = pair();
    let stream = pair[0].open("udp").unwrap();
    carry(&mut pair);
    for number in 0..=DATAGRAMS as u8 {
        pair[0].send_datagram(stream, &[number]).unwrap();
    }
    assert_eq!(pair[0].send_datagram(stream, &[0; DATAGRAM_BYTES + 1]), Err(WriteError::TooLong));
    while let Some(datagram) = pair[0].poll_datagram() {
        pair[1].receive_datagram(&datagram);
    }
    pair[1].receive_datagram(&[8, 1]);
    assert_eq!(pair[1].read_datagram(), Some((stream.seen_from_there(), vec![1])));
    let rest: Vec<_> = std::iter::from_fn(|| pair[1].read_datagram()).collect();
    assert_eq!(rest.len(), DATAGRAMS - 1);
}

#[test]
fn a_breach_ends_the_session_on_both_sides_with_its_reason() {
    let own = StreamId(0);
    let hello = |version| {
        let hello = Hello { session: [2; 8], known: [0; 8], next: 0, streams: vec![] };
        let mut message = frame(&Frame::Hello(hello));
        message[1] = version;
        message
    };
    let open = Frame::Open { stream: own, label: "x" };
    let data = |position, bytes| Frame::Data { stream: own, position, bytes };
    let cases: [(&[Vec<u8>], &str); 9] = [
        (&[vec![0]], "a frame of no known kind"),
        (&[vec![1, 1, 0]], "a frame is cut"),
        (&[hello(9)], "the version of the streams is another one"),
        (&[frame(&open)], "a frame before the hello"),
        (&[hello(1), hello(1)], "a second hello"),
        (&[hello(1), frame(&data(0, b"x"))], "a frame of no known stream"),
        (&[hello(1), frame(&open), frame(&open)], "a stream that can't be opened"),
        (&[hello(1), frame(&open), frame(&data(1, b"x"))], "a piece is not the next one"),
        (&[vec![9; FRAMES_BYTES + 1]], "a message is too long"),
    ];
    for (messages, why) in cases {
        let mut pair = [Session::new([1; 8]), Session::new([2; 8])];
        pair[0].connected();
        messages.iter().for_each(|message| pair[0].receive(message));
        let Some(Output::Ended { code, reason }) = outputs(&mut pair[0]).pop() else { panic!("{why}") };
        assert_eq!(reason, why);
        pair[1].connected();
        carry(&mut pair);
        assert_eq!(outputs(&mut pair[1]), [Output::Ended { code, reason }]);
        assert_eq!(pair[0].open("x"), Err(WriteError::Ended));
    }
}
