use super::*;

#[tokio::test(start_paused = true)]
async fn signals_of_who_is_not_there_are_dropped() {
    let mut world = World::new(&["b"], 64);
    let (connection, _sent) = world.connected().await;
    world.server.offers("x", "x-1").await;
    world.server.left("b", "lost").await;
    world.server.offers("b", "b-1").await;
    world.server.joined("b").await;
    assert!(matches!(world.event().await, Event::PeerLeft { .. }));
    assert!(matches!(world.event().await, Event::PeerJoined { .. }));
    assert!(world.connections.try_recv().is_err());
    assert_eq!(world.channels.peers(), [id("b")]);

    // It is back, as a new process: its offer replaces the connection.
    world.server.offers("b", "b-2").await;
    assert_eq!(world.connection().await.context.channel, None);
    assert!(matches!(world.event().await, Event::Disconnected { .. }));
    connection.dropped().await;
    world.leave().await;
}
