//! The table in virtual time: who gets what, who is refused, and where data goes.

mod model;
mod peer;

use peer::{Peer, World, peer_address};
use proptest::prelude::*;

use super::*;
use crate::relay::stun::attribute;

#[test]
fn a_binding_says_where_it_came_from() {
    let mut world = World::new();
    let answer = world.ask(peer_address(1), &peer::request(method::BINDING).finish()).unwrap();
    assert_eq!(answer.address(attribute::XOR_MAPPED_ADDRESS), Some(peer_address(1)));
}

#[test]
fn data_goes_to_who_permits_it_and_comes_back() {
    let mut world = World::new();
    let [a, b] = ["a", "b"].map(|who| world.allocate("room", who).unwrap());
    assert_eq!((world.permit(&a, b.relayed), world.send(&a, b.relayed, b"early")), (200, None));
    assert_eq!(world.permit(&b, a.relayed), 200);
    assert_eq!(
        world.send(&a, b.relayed, b"by indication"),
        Some((b.client, Some(a.relayed), b"by indication".to_vec()))
    );
    assert_eq!((world.bind(&a, 0x4000, b.relayed), world.bind(&b, 0x7FFE, a.relayed)), (200, 200));
    assert_eq!(world.channel(&a, 0x4000, b"odd"), Some((b.client, None, b"odd".to_vec())));
    assert_eq!(world.channel(&b, 0x7FFE, b"back"), Some((a.client, None, b"back".to_vec())));
    assert_eq!(world.channel(&a, 0x4001, b"unbound"), None);
    let stats = world.table.stats();
    assert_eq!((stats.bytes_in, stats.bytes_out), (5 + 13 + 3 + 4, 13 + 3 + 4));
}

#[test]
fn no_other_address_is_reached_by_any_method() {
    let mut world = World::new();
    let [a, b] = ["a", "b"].map(|who| world.allocate("room", who).unwrap());
    let elsewhere = world.allocate("another room", "c").unwrap();
    let unused = SocketAddr::new(b.relayed.ip(), FIRST_PORT + 9_000);
    let by_port = SocketAddr::new("198.51.100.1".parse().unwrap(), b.relayed.port());
    let host = SocketAddr::new(b.relayed.ip(), 22);
    let v6: SocketAddr = format!("[::1]:{}", b.relayed.port()).parse().unwrap();
    for address in [elsewhere.relayed, unused, by_port, host, v6, elsewhere.client.address()] {
        assert_eq!((world.permit(&a, address), world.bind(&a, 0x4000, address)), (403, 403), "{address}");
        assert_eq!(world.send(&a, address, b"data"), None, "{address}");
    }
    // Of two addresses neither is permitted when one may not be.
    assert_eq!((world.permit_all(&a, &[b.relayed, host]), world.permit(&b, a.relayed)), (403, 200));
    assert_eq!(world.send(&a, b.relayed, b"data"), None);
    assert!(world.table.stats().refused(Refusal::Peer) >= 18);
}

#[test]
fn a_storm_of_refused_addresses_is_answered_at_its_beginning() {
    let mut world = World::new();
    let a = world.allocate("room", "a").unwrap();
    let outside = peer_address(77);
    let told = (0..1_000).filter(|_| world.permit(&a, outside) == 403).count();
    assert_eq!(told, 200);
    world.wait(1);
    assert_eq!(world.permit(&a, outside), 403);
}

#[test]
fn a_stream_has_its_allocation_until_it_ends() {
    let mut world = World::new();
    let b = world.allocate("room", "b").unwrap();
    let stream = Client::Stream(1, b.client.address());
    let mut peer = world.peer("room", "a");
    peer.client = stream;
    assert_eq!((world.table.until(stream), world.code(stream, &peer.allocate())), (None, 200));
    peer.relayed = world.relayed_of(&peer);
    assert_eq!(world.table.until(stream), Some(world.now.at + Duration::from_secs(600)));
    assert_eq!((world.permit(&peer, b.relayed), world.permit(&b, peer.relayed)), (200, 200));
    assert_eq!(world.send(&b, peer.relayed, b"x").map(|(to, ..)| to), Some(stream));
    world.table.leave(stream);
    assert_eq!(
        (world.table.until(stream), world.send(&b, peer.relayed, b"x"), world.table.allocations()),
        (None, None, 1)
    );
    world.table.leave(stream);
    assert_eq!(world.table.allocations(), 1);
}

#[test]
fn it_is_in_use_while_an_allocation_carries_data() {
    let mut world = World::new();
    assert!(!world.table.is_in_use(world.now.at));
    let [a, b] = ["a", "b"].map(|who| world.allocate("room", who).unwrap());
    assert_eq!((world.permit(&a, b.relayed), world.permit(&b, a.relayed)), (200, 200));
    for _ in 0..3 {
        assert!(world.table.is_in_use(world.now.at));
        world.wait(9);
        assert!(world.send(&a, b.relayed, b"x").is_some());
    }
    world.wait(10);
    assert!(!world.table.is_in_use(world.now.at));
}

#[test]
fn only_datagrams_can_come_from_elsewhere() {
    let mut world = World::new();
    let binding = peer::request(method::BINDING).finish();
    for (client, answered) in [(Client::Udp(peer_address(1), None), 1_000), (Client::Stream(1, peer_address(1)), 1_500)]
    {
        let answers = (0..1_500).filter(|_| world.table.input(client, &binding, world.now) != Out::Nothing).count();
        assert_eq!(answers, answered);
    }
    assert_eq!(world.table.stats().refused(Refusal::Network), 500);
}

#[test]
fn a_retransmitted_request_has_the_same_answer() {
    let mut world = World::new();
    let mut peer = world.peer("room", "a");
    let request = peer.allocate();
    let client = peer.client;
    let first = world.table.input(client, &request, world.now);
    world.wait(3);
    assert_eq!(world.table.input(client, &request, world.now), first);
    peer.transaction += 1;
    assert_eq!((world.code(client, &peer.allocate()), world.table.allocations()), (437, 1));
}

#[test]
fn who_knows_no_password_gets_nothing() {
    let mut world = World::new();
    let [mut peer, mut other] = ["a", "b"].map(|who| world.peer("room", who));
    peer.key[0] ^= 1;
    assert_eq!(world.code(peer.client, &peer.allocate()), 401);
    peer.key[0] ^= 1;
    peer.username.push('x');
    assert_eq!(world.code(peer.client, &peer.allocate()), 401);
    other.nonce = "00000000deadbeefdeadbeef".to_owned();
    assert_eq!(world.code(other.client, &other.allocate()), 438);
    assert_eq!(world.table.allocations(), 0);
    // Somebody else's name does not help with an allocation that is there.
    let (a, b) = (world.allocate("room", "a").unwrap(), world.allocate("room", "b").unwrap());
    let mixed = Peer { client: a.client, ..b.clone() };
    assert_eq!((world.permit(&mixed, b.relayed), world.refresh(&mixed, 0)), (441, 441));
}

#[test]
fn credentials_have_to_be_fresh_to_begin_and_no_longer() {
    let mut world = World::new();
    let late = world.peer("room", "late");
    let a = world.allocate("room", "a").unwrap();
    world.now.unix += 601;
    assert_eq!(world.code(late.client, &late.allocate()), 401);
    assert_eq!(world.refresh(&a, 600), 200);
}

#[test]
fn a_nonce_is_replaced_after_an_hour_without_an_end() {
    let mut world = World::new();
    let mut a = world.allocate("room", "a").unwrap();
    for _ in 0..8 {
        assert_eq!(world.refresh(&a, 600), 200);
        world.wait(500);
    }
    assert_eq!(world.refresh(&a, 600), 438);
    a.nonce = world.nonce();
    assert_eq!(world.refresh(&a, 600), 200);
}

#[test]
fn permissions_channels_and_allocations_end() {
    let mut world = World::new();
    let [a, b] = ["a", "b"].map(|who| world.allocate("room", who).unwrap());
    assert_eq!((world.bind(&a, 0x4000, b.relayed), world.permit(&b, a.relayed)), (200, 200));
    world.wait(299);
    assert!(world.channel(&a, 0x4000, b"x").is_some());
    world.wait(1);
    assert!(world.channel(&a, 0x4000, b"x").is_none(), "b's permission is over");
    assert_eq!(world.permit(&b, a.relayed), 200);
    assert!(world.channel(&a, 0x4000, b"x").is_some());
    world.wait(300);
    assert_eq!(world.table.allocations(), 2, "nothing was forgotten yet");
    assert_eq!((world.refresh(&a, 600), world.permit(&a, b.relayed)), (437, 437));
    world.table.expire(world.now.at);
    assert_eq!(world.table.allocations(), 0);
    let c = world.allocate("room", "c").unwrap();
    assert_eq!((world.refresh(&c, 0), world.table.allocations(), world.refresh(&c, 0)), (200, 0, 437));
}

#[test]
fn at_the_quota_the_longest_idle_one_goes() {
    let mut world = World::with(|settings| settings.allocations_per_user = 3);
    let all: Vec<Peer> = (0..3).map(|_| world.allocate("room", "a").unwrap()).collect();
    assert_eq!(world.allocate("room", "a").err(), Some(486));
    world.wait(10);
    for (from, to) in [(0, 2), (2, 0)] {
        assert_eq!(world.permit(&all[from], all[to].relayed), 200);
    }
    assert!(world.send(&all[0], all[2].relayed, b"x").is_some());
    let newest = world.allocate("room", "a").unwrap();
    assert_eq!(
        (world.refresh(&all[0], 600), world.refresh(&all[1], 600), world.refresh(&newest, 600)),
        (200, 437, 200)
    );
    assert_eq!(world.allocate("room", "a").err(), Some(486), "nothing is idle");
    assert!(world.allocate("room", "b").is_ok());
}

#[test]
fn there_are_so_many_in_all_and_none_once_it_closes() {
    let mut world = World::with(|settings| settings.allocations = 2);
    let a = world.allocate("room", "a").unwrap();
    assert!(world.allocate("room", "b").is_ok());
    assert_eq!(world.allocate("room", "c").err(), Some(508));
    assert_eq!(world.refresh(&a, 0), 200);
    world.table.close();
    assert_eq!(world.allocate("room", "c").err(), Some(508));
}

#[test]
fn beyond_its_rate_a_sender_s_data_is_dropped() {
    let mut world = World::with(|settings| settings.rate = Some((10_000, 5_000)));
    let [a, b] = ["a", "b"].map(|who| world.allocate("room", who).unwrap());
    assert_eq!((world.permit(&a, b.relayed), world.permit(&b, a.relayed)), (200, 200));
    let through = (0..100).filter(|_| world.send(&a, b.relayed, &[0; 1_000]).is_some()).count();
    assert_eq!(through, 5);
    assert!(world.send(&b, a.relayed, &[0; 1_000]).is_some(), "the receiver is not charged");
    world.wait(1);
    assert!(world.send(&a, b.relayed, &[0; 1_000]).is_some());
    assert_eq!(world.table.stats().refused(Refusal::Rate), 95);
}

#[test]
fn unusual_requests_are_refused_with_their_codes() {
    let mut world = World::new();
    let peer = world.peer("room", "a");
    let with = |kind, value: &[u8]| peer.sign(peer.begin(method::ALLOCATE).attribute(kind, value));
    assert_eq!(world.code(peer.client, &with(attribute::REQUESTED_TRANSPORT, &[6, 0, 0, 0])), 442);
    assert_eq!(world.code(peer.client, &peer.sign(peer.begin(method::ALLOCATE))), 400);
    assert_eq!(world.code(peer.client, &with(0x0022, &[0; 8])), 420);
    let even = |reserve: u8| {
        let udp = peer.begin(method::ALLOCATE).attribute(attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
        peer.sign(udp.attribute(attribute::EVEN_PORT, &[reserve]).attribute(attribute::DONT_FRAGMENT, &[]))
    };
    assert_eq!(world.code(peer.client, &even(0x80)), 508);
    let client = peer_address(5);
    let given = world.ask(client, &even(0)).unwrap().address(attribute::XOR_RELAYED_ADDRESS).unwrap();
    assert_eq!(given.port() % 2, 0);
    let family = |family: u8| {
        let udp = peer.begin(method::ALLOCATE).attribute(attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
        peer.sign(udp.attribute(attribute::REQUESTED_ADDRESS_FAMILY, &[family, 0, 0, 0]))
    };
    assert_eq!(world.code(peer.client, &family(3)), 440);
    let v6 = world.ask(peer.client.address(), &family(2)).unwrap();
    assert!(v6.address(attribute::XOR_RELAYED_ADDRESS).is_some_and(|address| address.is_ipv6()));
    let (a, b) = (world.allocate("room", "b").unwrap(), world.allocate("room", "c").unwrap());
    assert_eq!((world.bind(&a, 0x3FFF, b.relayed), world.bind(&a, 0x7FFF, b.relayed)), (400, 400));
    assert_eq!((world.bind(&a, 0x4000, b.relayed), world.bind(&a, 0x4001, b.relayed)), (200, 400));
    assert_eq!((world.bind(&a, 0x4000, a.relayed), world.permit_all(&a, &[])), (400, 400));
}

proptest! {
    #[test]
    fn nobody_unknown_gets_more_than_three_times_what_it_sent(
        kind in 0..0x10_u16, attributes in prop::collection::vec((0..0x30_u16, prop::collection::vec(any::<u8>(), 0..24)), 0..6),
    ) {
        let mut world = World::new();
        let all = attributes.iter().fold(peer::request(kind), |writer, (kind, value)| writer.attribute(*kind, value));
        let bytes = all.finish();
        if let Out::Reply(reply) = world.table.input(Client::Udp(peer_address(1), None), &bytes, world.now) {
            prop_assert!(kind == method::ALLOCATE || reply.len() <= 3 * bytes.len(), "{} for {}", reply.len(), bytes.len());
        }
        prop_assert_eq!(world.table.allocations(), 0);
    }

    #[test]
    fn any_bytes_may_come(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let mut world = World::new();
        let a = world.allocate("room", "a").unwrap();
        for client in [a.client, Client::Udp(peer_address(9_999), None)] {
            let _ = world.table.input(client, &bytes, world.now);
        }
        prop_assert_eq!(world.table.allocations(), 1);
    }
}
