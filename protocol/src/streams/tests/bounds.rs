//! How much is held, and whose turn it is.

use std::collections::VecDeque;

use super::{super::*, carry, frame, outputs, pair, read_all};

#[test]
fn streams_that_nobody_reads_hold_up_no_other_and_cost_their_window() {
    let mut pair = pair();
    let slow: Vec<StreamId> = (1..STREAMS).map(|_| pair[0].open("slow").unwrap()).collect();
    for stream in &slow {
        while pair[0].write(0, *stream, &[0; 16_000]).is_ok() {}
    }
    let quick = pair[0].open("quick").unwrap();
    assert_eq!(pair[0].open("one more"), Err(WriteError::TooMany));
    carry(&mut pair);
    let mut got = 0;
    while got < 10_000_000 {
        while pair[0].write(0, quick, &[1; 16_000]).is_ok() {}
        carry(&mut pair);
        got += read_all(&mut pair[1], 0, quick.seen_from_there()).len();
    }
    let idle = slow.len() as u64 * STREAM_WINDOW;
    assert!(pair[1].held().unread >= idle && pair[1].held().unread <= idle + STREAM_WINDOW_MAX);
    assert!(pair[0].held().waiting <= idle + slow.len() as u64 * 16_000 + STREAM_WINDOW_MAX + 16_000);
}

#[test]
fn all_streams_together_hold_no_more_than_their_bounds() {
    let mut pair = pair();
    let streams: Vec<StreamId> = (0..40).map(|_| pair[0].open("bulk").unwrap()).collect();
    // All of them are read quickly, so that windows grow; then nobody reads.
    for now in 0..60 {
        for stream in &streams {
            while pair[0].write(now, *stream, &[0; WRITE_BYTES]).is_ok() {}
        }
        carry(&mut pair);
        for stream in &streams {
            if now < 40 {
                read_all(&mut pair[1], now, stream.seen_from_there());
            }
        }
    }
    let sure = streams.len() as u64 * STREAM_WINDOW;
    assert!(pair[1].held().unread > sure + SHARED_WINDOW / 2, "windows grow");
    assert!(pair[1].held().unread <= sure + SHARED_WINDOW);
    let more = streams.len() as u64 * (STREAM_WINDOW + WRITE_BYTES as u64);
    assert!(pair[0].held().waiting <= WAITING_BYTES + more);
}

#[test]
fn a_window_grows_for_who_reads_fast_and_not_for_who_reads_slowly() {
    let window = |pause: u64| {
        let mut pair = pair();
        let stream = pair[0].open("bulk").unwrap();
        for turn in 0..200 {
            while pair[0].write(turn * pause, stream, &[0; 16_000]).is_ok() {}
            carry(&mut pair);
            read_all(&mut pair[1], turn * pause, stream.seen_from_there());
            carry(&mut pair);
        }
        while pair[0].write(0, stream, &[0; 16_000]).is_ok() {}
        carry(&mut pair);
        pair[1].held().unread
    };
    assert!((STREAM_WINDOW / 2..=STREAM_WINDOW).contains(&window(WINDOW_MS)));
    assert!((STREAM_WINDOW_MAX / 2..=STREAM_WINDOW_MAX).contains(&window(WINDOW_MS - 1)));
}

#[test]
fn streams_take_turns_piece_by_piece() {
    let mut pair = pair();
    let [bulk, chat] = ["bulk", "chat"].map(|label| pair[0].open(label).unwrap());
    pair[0].write(0, bulk, &[0; 60_000]).unwrap();
    pair[0].write(0, chat, b"hello").unwrap();
    let turns: VecDeque<(StreamId, usize)> = std::iter::from_fn(|| pair[0].poll_transmit())
        .flat_map(|message| {
            let frames: Vec<_> = Frames::of(&message).unwrap().map(Result::unwrap).collect();
            let data = frames.into_iter().filter_map(|frame| match frame {
                Frame::Data { stream, bytes, .. } => Some((stream, bytes.len())),
                _ => None,
            });
            data.collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(turns, [(bulk, 16_384), (chat, 5), (bulk, 16_384), (bulk, 16_384), (bulk, 10_848)]);
}

#[test]
fn what_the_other_side_may_make_this_one_hold_is_bounded() {
    let mut session = Session::new([1; 8]);
    session.connected();
    session.receive(&frame(&Frame::Hello(Hello { session: [2; 8], known: [0; 8], next: 0, streams: vec![] })));
    for number in 0..STREAMS as u64 {
        session.receive(&frame(&Frame::Open { stream: StreamId(number * 2), label: "x" }));
    }
    let mut flooded = StreamId(0);
    for (position, stream) in (0..4).flat_map(|piece| [(piece * 16_384, StreamId(0)), (piece * 16_384, StreamId(2))]) {
        session.receive(&frame(&Frame::Data { stream, position, bytes: &[0; 16_384] }));
        flooded = stream;
    }
    assert_eq!(session.held(), Held { streams: STREAMS, waiting: 0, unread: 2 * STREAM_WINDOW });
    session.receive(&frame(&Frame::Data { stream: flooded, position: STREAM_WINDOW, bytes: &[0] }));
    let ended = |reason: &str| Some(Output::Ended { code: code::BEYOND_BOUND, reason: reason.into() });
    assert_eq!(outputs(&mut session).pop(), ended("more was sent than may be"));
    assert_eq!(session.held(), Held { streams: 0, waiting: 0, unread: 0 });
}
