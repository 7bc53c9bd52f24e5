use super::*;

#[tokio::test(start_paused = true)]
async fn who_comes_back_has_missed_nothing() {
    let mut world = World::new(&[], 64);
    assert!(matches!(world.event().await, Event::Joined { recovered: None, .. }));
    world.server.breaks().await;
    let Event::Reconnecting { attempt: 1, why, .. } = world.event().await else { panic!("not lost") };
    assert_eq!(why, "cut");

    // `b` came and `c` came and went meanwhile. The roster is the one of now, and what follows tells how it came about.
    let server = world.links.recv().await.unwrap();
    server.says(json!({"type":"room_state","room_id":"room","your_peer_id":"me","peers":["b"],"recovered":true})).await;
    let Event::Joined { recovered: Some(true), peers, .. } = world.event().await else { panic!("not back") };
    assert_eq!(peers, [id("b")]);
    assert!(world.connections.try_recv().is_err(), "`b` offers, as to who was there all the time");
    server.joined("c").await;
    server.left("c", "left").await;
    server.joined("b").await;
    server.offers("b", "b-1").await;
    let mut connection = world.connection().await;
    while connection.context.key.peer != id("b") {
        connection = world.connection().await;
    }
    server.says(json!({"type":"peer_away","peer_id":"b","timestamp":"t"})).await;
    while world.event().await != (Event::PeerAway { peer_id: id("b") }) {}
    server.says(json!({"type":"peer_back","peer_id":"b","timestamp":"t"})).await;
    while world.event().await != (Event::PeerBack { peer_id: id("b") }) {}
    world.leave().await;
}

#[tokio::test(start_paused = true)]
async fn a_change_around_asks_the_server_for_a_sign_of_life() {
    let mut world = World::new(&[], 64);
    world.change.send(Changed { addresses: [].into(), slept: Duration::from_secs(60) }).await.unwrap();
    let asked = world.server.from_peer.recv().await;
    assert!(matches!(asked, Some(Outgoing::Probe(_))), "{asked:?}");
    world.leave().await;
}
