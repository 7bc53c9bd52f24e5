//! The streams of a peer. Whatever the other side sends (messages, each after its length), no bound is passed, and what is
//! a frame is the same one after it was written and read again.
#![no_main]

use grtc_protocol::streams::{Frame, Frames, Output, Read, SHARED_WINDOW, STREAM_WINDOW, STREAMS, Session, StreamId};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    // The name by which the seeds know it.
    let mut session = Session::new([0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8]);
    session.connected();
    let (mut rest, mut now) = (input, 0);
    while let Some((length, after)) = rest.split_first() {
        let (message, after) = after.split_at(after.len().min(usize::from(*length)));
        rest = after;
        now += 10;
        match length {
            0 => session.connected(),
            _ => session.receive(message),
        }
        session.receive_datagram(message);
        read_again(message);
        program(&mut session, now);
        let held = session.held();
        assert!(held.streams <= 2 * STREAMS);
        assert!(held.unread <= 2 * STREAMS as u64 * STREAM_WINDOW + SHARED_WINDOW);
        while let Some(message) = session.poll_transmit() {
            read_again(&message);
        }
    }
});

/// Answers on what is opened, and reads every other stream.
fn program(session: &mut Session, now: u64) {
    while let Some(output) = session.poll_output() {
        match output {
            Output::Linked { .. } => {
                let _ = session.open("own").map(|stream| session.write(now, stream, b"hello"));
            }
            Output::Opened { stream, .. } => {
                let _ = session.write(now, stream, b"answer");
            }
            Output::Readable { stream } if stream.number() % 2 == 0 => read(session, now, stream),
            Output::Stopped { stream, .. } => session.stop(stream, 1, "so do I"),
            _ => {}
        }
    }
}

fn read(session: &mut Session, now: u64, stream: StreamId) {
    while let Some(read) = session.read(now, stream, 100) {
        if read == Read::End {
            session.finish(stream);
        }
    }
}

fn read_again(message: &[u8]) {
    let Ok(frames) = Frames::of(message) else { return };
    let frames: Vec<Frame<'_>> = frames.map_while(Result::ok).collect();
    let mut out = Vec::new();
    frames.iter().for_each(|frame| frame.put(&mut out));
    let again: Result<Vec<Frame<'_>>, _> = Frames::of(&out).and_then(Iterator::collect);
    assert_eq!(again.as_ref(), Ok(&frames));
}
