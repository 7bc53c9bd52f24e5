use super::*;

#[tokio::test(start_paused = true)]
async fn what_comes_of_an_earlier_pair_is_ignored() {
    let mut world = World::new(&["b"], 64);
    let (earlier, _sent) = world.connected().await;
    world.server.left("b", "left").await;
    world.server.joined("b").await;
    world.server.offers("b", "b-1").await;
    let connection = world.connection().await;
    assert_eq!(connection.context.connection, earlier.context.connection, "both are the first of their pair");
    while !matches!(world.event().await, Event::Connecting { .. }) {}

    let (mut nowhere, _) = earlier.opens().await;
    let (mut sent, _) = connection.opens().await;
    assert!(matches!(world.event().await, Event::Connected { .. }));
    drop(world.channels.queue(&id("b"), &"hello".into()).await.unwrap());
    assert_eq!(sent.recv().await.unwrap().as_text(), Some("hello"));
    assert!(nowhere.try_recv().is_err());
    earlier.dropped().await;
    world.leave().await;
}
