use super::*;

#[tokio::test(start_paused = true)]
async fn a_message_follows_its_connected() {
    // Room for one event: `Connected` waits in the driver while the channel has a message already.
    let mut world = World::new(&["b"], 1);
    let mut connection = world.connection().await;
    connection.offers().await;
    let (mut sent, deliver) = connection.opens().await;
    tokio::task::yield_now().await;
    assert!(!*deliver.borrow(), "the program knows of the channel before it was told");

    assert!(matches!(world.event().await, Event::Joined { .. }));
    assert!(matches!(world.event().await, Event::Connecting { .. }));
    assert!(matches!(world.event().await, Event::Connected { .. }));
    let Event::Message { payload, .. } = world.event().await else { panic!("no message") };
    assert_eq!(payload.as_text(), Some("first"));

    drop(world.channels.queue(&id("b"), &"hello".into()).await.unwrap());
    assert_eq!(sent.recv().await.unwrap().as_text(), Some("hello"));
    world.leave().await;
    connection.dropped().await;
}
