//! The rooms of a server, and who is away in them.

use grtc_protocol::limits::{KEPT_BYTES, RESUME_GRACE};

use super::*;

fn registry() -> Registry {
    Registry::new(IceServers::new(&[], None, None).unwrap(), RESUME_GRACE, Pool::new(KEPT_BYTES), Caps::none())
}

fn join(registry: &Registry, room: &str, peer: &str) -> Result<Membership, CloseCode> {
    registry.join(&room.parse().unwrap(), peer.parse().unwrap(), Outbox::default(), Asks::default(), None)
}

#[test]
fn a_room_is_there_as_long_as_somebody_is_in_it() {
    let registry = registry();
    let a = join(&registry, "r", "a").unwrap();
    let b = join(&registry, "r", "b").unwrap();
    let room: RoomId = "r".parse().unwrap();
    assert_eq!(registry.rooms(), [(room.clone(), 2)]);
    drop(a);
    assert_eq!(registry.peers(&room), ["b".parse().unwrap()]);
    drop(b);
    assert_eq!((registry.rooms(), registry.peers(&room)), (vec![], vec![]));
}

#[test]
fn of_many_that_race_for_one_id_one_gets_it() {
    let registry = registry();
    let winners: Vec<Membership> = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..64).map(|_| scope.spawn(|| join(&registry, "r", "me").ok())).collect();
        racers.into_iter().filter_map(|racer| racer.join().unwrap()).collect()
    });
    assert_eq!(winners.len(), 1);
}

#[test]
fn rooms_that_come_and_go_under_load_leave_nothing_behind() {
    let registry = registry();
    std::thread::scope(|scope| {
        for n in 0..4 {
            let registry = &registry;
            scope.spawn(move || {
                for _ in 0..2_000 {
                    drop(join(registry, "r", &n.to_string()).unwrap());
                }
            });
        }
    });
    let rooms = || registry.0.rooms.lock().unwrap().by_name.len();
    assert_eq!(rooms(), 1);
    registry.tick(Timestamp::now() + EMPTY_ROOM);
    assert_eq!(rooms(), 0);
}

#[test]
fn names_that_are_joined_and_left_at_once_are_bounded_and_in_no_list() {
    let registry = registry();
    let stays = join(&registry, "stays", "a").unwrap();
    for n in 0..100_000 {
        drop(join(&registry, &n.to_string(), "a").unwrap());
    }
    assert_eq!(registry.0.rooms.lock().unwrap().by_name.len(), ROOMS_WITH_EMPTY_ONES);
    assert_eq!(registry.rooms(), [("stays".parse().unwrap(), 1)]);
    assert_eq!(registry.peers(&"0".parse().unwrap()), []);
    registry.tick(Timestamp::now() + EMPTY_ROOM);
    assert_eq!(registry.0.rooms.lock().unwrap().by_name.len(), 1);
    drop(stays);
}

fn ask(registry: &Registry, room: &str, peer: &str) -> Membership {
    let asks = Asks { resume: true, ..Asks::default() };
    registry.join(&room.parse().unwrap(), peer.parse().unwrap(), Outbox::default(), asks, None).unwrap()
}

#[test]
fn who_is_away_is_in_the_lists_until_it_is_late() {
    let registry = registry();
    let room: RoomId = "r".parse().unwrap();
    (0..10).for_each(|n| drop(ask(&registry, "r", &n.to_string())));
    drop(join(&registry, "r", "has not asked").unwrap());
    assert_eq!((registry.rooms(), registry.peers(&room).len()), (vec![(room, 10)], 10));
    assert_eq!(registry.0.away.load(Relaxed), 10);
    registry.tick(Timestamp::now());
    assert_eq!(registry.0.away.load(Relaxed), 10);
    let late = Timestamp::now() + RESUME_GRACE;
    registry.tick(late);
    assert_eq!((registry.rooms(), registry.0.away.load(Relaxed)), (vec![], 0));
    registry.tick(late + EMPTY_ROOM);
    assert_eq!(registry.0.rooms.lock().unwrap().by_name.len(), 0);
}

#[test]
fn who_has_left_or_finds_too_many_away_is_gone_at_once() {
    let registry = registry();
    let mut left = ask(&registry, "r", "left");
    left.may_return = false;
    drop(left);
    assert_eq!(registry.rooms(), []);
    registry.0.away.store(AWAY_PEERS, Relaxed);
    drop(ask(&registry, "r", "one too many"));
    assert_eq!((registry.rooms(), registry.0.away.load(Relaxed)), (vec![], AWAY_PEERS));
}

#[test]
fn what_all_rooms_keep_is_bounded_in_sum_and_who_misses_little_misses_nothing() {
    const MOST: usize = 1 << 20;
    let pool = Pool::new(MOST);
    let registry = Registry::new(IceServers::new(&[], None, None).unwrap(), RESUME_GRACE, pool.clone(), Caps::none());
    let tell = |room: &str, bytes: usize| {
        let text = format!(r#"{{"type":"broadcast","data":"{}"}}"#, "x".repeat(bytes));
        let frame = grtc_protocol::client::Frame::parse(&text).unwrap();
        join(&registry, room, "b").unwrap().send(None, &frame.message).unwrap();
    };
    let rooms: Vec<String> = (0..50).map(|n| n.to_string()).collect();
    let missed: Vec<_> = rooms
        .iter()
        .map(|room| {
            let a = ask(&registry, room, "a");
            (0..50).for_each(|_| tell(room, 1_000));
            assert!(pool.taken() <= MOST, "{}", pool.taken());
            drop(a);
            registry.peers(&room.parse().unwrap()).len()
        })
        .collect();
    assert_eq!(missed, vec![1; 50]);
    assert!(pool.taken() > MOST / 2, "it is used: {}", pool.taken());
    let (outbox, again) = (Outbox::default(), Outbox::default());
    let asks = Asks { resume: true, ..Asks::default() };
    let small: RoomId = "small".parse().unwrap();
    drop(registry.join(&small, "a".parse().unwrap(), outbox.clone(), asks, None).unwrap());
    tell("small", 10);
    let state: serde_json::Value = serde_json::from_str(&outbox.take()[0]).unwrap();
    let token = Token::parse(state["resume_token"].as_str().unwrap());
    let asks = Asks { resume: true, back: Some(super::super::room::Back { token, received: 0 }), ..Asks::default() };
    assert!(registry.join(&small, "a".parse().unwrap(), again.clone(), asks, None).unwrap().place.recovered);
    // The `room_state`; and that somebody came, said something and left.
    assert_eq!(again.take().len(), 1 + 3);
    drop(registry);
    assert_eq!(pool.taken(), 0);
}

#[test]
fn there_are_so_many_rooms_and_those_that_nobody_is_in_give_way() {
    let caps = Caps { rooms: 4, ..Caps::none() };
    let registry = Registry::new(IceServers::new(&[], None, None).unwrap(), RESUME_GRACE, Pool::new(KEPT_BYTES), caps);
    let held: Vec<_> = ["a", "b"].map(|room| join(&registry, room, "x").unwrap()).into();
    let more: Vec<_> = ["c", "d"].map(|room| join(&registry, room, "x").unwrap()).into();
    assert_eq!(join(&registry, "e", "x").map(drop), Err(CloseCode::Overloaded));
    assert!(join(&registry, "a", "y").is_ok(), "a room that is there takes more");
    drop((held, more));
    for room in ["e", "f", "g", "h"] {
        drop(join(&registry, room, "x").unwrap());
    }
}
