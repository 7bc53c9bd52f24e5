use super::*;

#[tokio::test(start_paused = true)]
async fn a_channel_ends_while_its_peer_is_away() {
    let mut world = World::new(&["b"], 64);
    let (connection, _sent) = world.connected().await;
    world.server.left("b", "lost").await;
    assert!(matches!(world.event().await, Event::PeerLeft { .. }));

    let number = connection.context.connection;
    let lost = Input::ConnectionLost { connection: number, reason: "the channel closed".to_owned() };
    connection.tells(backend::Event::Input(lost)).await;
    assert!(matches!(world.event().await, Event::Disconnected { .. }));
    connection.dropped().await;
    assert!(world.connections.try_recv().is_err(), "nobody is there to offer to");

    // It comes back as somebody new, who offers.
    world.server.joined("b").await;
    assert!(matches!(world.event().await, Event::PeerJoined { .. }));
    assert!(matches!(world.event().await, Event::Connecting { .. }));
    assert!(world.connections.try_recv().is_err());
    world.server.offers("b", "b-1").await;
    assert_eq!(world.connection().await.context.channel, None);
    world.leave().await;
}
