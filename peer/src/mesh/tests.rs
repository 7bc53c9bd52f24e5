use grtc_protocol::signal::SessionDescription;

use super::*;

fn id(name: &str) -> PeerId {
    name.parse().unwrap()
}

fn mesh(me: &str) -> Mesh {
    Mesh::new(id(me), fastrand::Rng::with_seed(1))
}

fn outputs(mesh: &mut Mesh) -> Vec<Output> {
    std::iter::from_fn(|| mesh.poll_output()).collect()
}

fn key(peer: &str, epoch: u64) -> PairKey {
    PairKey { peer: id(peer), epoch }
}

fn opens(outputs: &[Output]) -> Vec<(PeerId, bool)> {
    outputs
        .iter()
        .filter_map(|output| match output {
            Output::Act(key, Action::Open { channel, .. }) => Some((key.peer.clone(), *channel)),
            _ => None,
        })
        .collect()
}

fn offer(attempt: &str) -> Signal {
    Signal::Offer {
        target_peer_id: "a".to_owned(),
        offer: SessionDescription { kind: "offer".to_owned(), sdp: "their offer".to_owned() },
        attempt: Some(attempt.to_owned()),
    }
}

fn answer() -> Signal {
    Signal::Answer {
        target_peer_id: "a".to_owned(),
        answer: SessionDescription { kind: "answer".to_owned(), sdp: "their answer".to_owned() },
        attempt: None,
    }
}

/// A mesh of `a` with an open pair to `b`, which `a` offered.
fn open() -> Mesh {
    let mut mesh = mesh("a");
    mesh.roster(0, &[id("b")]);
    mesh.input(0, &key("b", 1), Input::OfferCreated { connection: 1, sdp: "our offer".to_owned() });
    mesh.signal(0, &id("b"), answer());
    mesh.input(1, &key("b", 1), Input::AnswerApplied { connection: 1 });
    mesh.input(1, &key("b", 1), Input::ChannelOpen { connection: 1 });
    outputs(&mut mesh);
    mesh
}

#[test]
fn the_newcomer_offers_to_all_and_those_there_wait() {
    let mut mesh = mesh("b");
    mesh.roster(0, &[id("a"), id("c"), id("b")]);
    assert_eq!(opens(&outputs(&mut mesh)), [(id("a"), true), (id("c"), true)], "and not to itself");
    mesh.peer_joined(1, &id("d"));
    assert_eq!(outputs(&mut mesh), [Output::Act(key("d", 3), Action::State(PairState::Connecting))]);
}

#[test]
fn a_signal_of_a_stranger_is_dropped() {
    let mut mesh = mesh("a");
    mesh.roster(0, &[]);
    mesh.signal(1, &id("x"), offer("x-1"));
    assert_eq!(outputs(&mut mesh), []);
}

#[test]
fn a_peer_that_leaves_is_closed_at_once() {
    for reason in [None, Some(LeaveReason::Left), Some(LeaveReason::Kicked), Some(LeaveReason::Unknown)] {
        let mut mesh = open();
        mesh.peer_left(2, &id("b"), reason);
        let closed = Output::Act(key("b", 1), Action::Close { connection: 1 });
        assert_eq!(outputs(&mut mesh), [closed, Output::Removed(key("b", 1))], "{reason:?}");
        assert_eq!(mesh.poll_timeout(), None);
    }
}

#[test]
fn an_open_pair_survives_a_lost_link_and_the_return() {
    let mut mesh = open();
    mesh.peer_left(2, &id("b"), Some(LeaveReason::Lost));
    assert_eq!(outputs(&mut mesh), []);
    assert_eq!(mesh.poll_timeout(), Some(2 + ABSENT_GRACE_MS));
    mesh.peer_joined(9_000, &id("b"));
    assert_eq!((outputs(&mut mesh), mesh.poll_timeout()), (vec![], None));
    // It comes back as a new process: its offer replaces the pair's connection.
    mesh.signal(9_001, &id("b"), offer("b-1"));
    assert_eq!(opens(&outputs(&mut mesh)), [(id("b"), false)]);
}

#[test]
fn an_open_pair_of_an_absent_peer_ends_with_its_channel_or_its_time() {
    let mut mesh = open();
    mesh.peer_left(2, &id("b"), Some(LeaveReason::Lost));
    mesh.input(3, &key("b", 1), Input::ConnectionLost { connection: 9, reason: "stale".to_owned() });
    assert_eq!(outputs(&mut mesh), []);
    mesh.input(4, &key("b", 1), Input::ConnectionLost { connection: 1, reason: "gone".to_owned() });
    assert_eq!(opens(&outputs(&mut mesh)), [], "nobody is there to offer to");

    let mut mesh = open();
    mesh.peer_left(2, &id("b"), Some(LeaveReason::Lost));
    mesh.tick(2 + ABSENT_GRACE_MS);
    assert!(outputs(&mut mesh).contains(&Output::Removed(key("b", 1))));
}

#[test]
fn a_rejoin_keeps_open_pairs_and_offers_to_the_others() {
    let mut mesh = open();
    mesh.peer_joined(2, &id("c"));
    outputs(&mut mesh);
    mesh.roster(10_000, &[id("b"), id("c"), id("d")]);
    assert_eq!(opens(&outputs(&mut mesh)), [(id("c"), true), (id("d"), true)]);
    // A server that has forgotten everybody: they come back one by one.
    mesh.roster(20_000, &[]);
    let gone = outputs(&mut mesh);
    assert!(!gone.contains(&Output::Removed(key("b", 1))) && gone.contains(&Output::Removed(key("d", 4))));
    mesh.peer_joined(20_100, &id("b"));
    assert_eq!(outputs(&mut mesh), []);
}

#[test]
fn what_comes_of_an_earlier_pair_is_ignored() {
    let mut mesh = open();
    mesh.peer_left(2, &id("b"), None);
    mesh.peer_joined(3, &id("b"));
    mesh.signal(4, &id("b"), offer("b-1"));
    outputs(&mut mesh);
    mesh.input(5, &key("b", 1), Input::ChannelOpen { connection: 1 });
    assert_eq!(outputs(&mut mesh), []);
    mesh.input(5, &key("b", 2), Input::ChannelOpen { connection: 1 });
    assert_eq!(outputs(&mut mesh), [Output::Act(key("b", 2), Action::State(PairState::Connected))]);
}

#[test]
fn the_later_name_is_the_polite_one() {
    // Both offer at once: the later name yields.
    for (me, other, yields) in [("b", "a", true), ("a", "b", false), ("\u{1f600}", "\u{ff5e}", true)] {
        let mut mesh = mesh(me);
        mesh.roster(0, &[id(other)]);
        outputs(&mut mesh);
        mesh.signal(1, &id(other), offer("o-1"));
        assert_eq!(!opens(&outputs(&mut mesh)).is_empty(), yields, "{me} and {other}");
    }
}
