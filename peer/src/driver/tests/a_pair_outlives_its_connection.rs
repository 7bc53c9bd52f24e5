use super::*;

/// A pair that has sent `one`, and whose other end this is.
async fn open_pair(world: &mut World) -> (End, Connection, JoinSet<()>) {
    let mut other = End::new("me", 7);
    let mut connection = world.connection().await;
    connection.offers().await;
    let link = connection.links(&other).await;
    while !matches!(world.event().await, Event::Connected { .. }) {}
    assert!(world.channels.queue(&id("b"), &"one".into()).await.unwrap().delivered().await.is_ok());
    assert_eq!(other.next().await, "one");
    (other, connection, link)
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_while_nothing_comes_arrives_over_another_connection() {
    let mut world = World::new(&["b"], 16);
    let (mut other, connection, link) = open_pair(&mut world).await;

    connection.tells(backend::Event::Silent).await;
    let Event::Interrupted { why, .. } = world.event().await else { panic!("not told") };
    assert_eq!(why, "nothing has come for a while");
    let two = world.channels.queue(&id("b"), &"two".into()).await.unwrap();
    // After 2 s without an answer there is another one.
    let mut next = world.connection().await;
    drop(link);
    connection.dropped().await;
    next.offers().await;
    let _link = next.links(&other).await;
    let Event::Recovered { gap, .. } = world.event().await else { panic!("not told") };
    assert_eq!(gap.as_secs(), 2);
    assert!(two.delivered().await.is_ok());
    assert_eq!(other.next().await, "two");
    world.leave().await;
}

#[tokio::test(start_paused = true)]
async fn who_is_heard_again_has_missed_nothing() {
    let mut world = World::new(&["b"], 16);
    let (mut other, connection, _link) = open_pair(&mut world).await;
    connection.tells(backend::Event::Silent).await;
    assert!(matches!(world.event().await, Event::Interrupted { .. }));
    connection.tells(backend::Event::Heard).await;
    assert!(matches!(world.event().await, Event::Recovered { .. }));
    assert!(world.channels.queue(&id("b"), &"two".into()).await.unwrap().delivered().await.is_ok());
    assert_eq!(other.next().await, "two");
    world.leave().await;
}

#[tokio::test(start_paused = true)]
async fn a_pair_that_is_not_rebuilt_says_why_and_is_tried_again_when_the_other_one_is_back() {
    let mut world = World::new(&["b"], 16);
    let (mut other, connection, link) = open_pair(&mut world).await;
    let begin = Instant::now();
    connection.tells(backend::Event::Silent).await;
    drop(link);
    assert!(matches!(world.event().await, Event::Interrupted { .. }));
    let two = world.channels.queue(&id("b"), &"two".into()).await.unwrap();
    world.server.left("b", "lost").await;
    assert!(matches!(world.event().await, Event::PeerLeft { .. }));
    assert!(matches!(world.event().await, Event::Disconnected { .. }));
    assert!(matches!(world.event().await, Event::Failed { .. }));
    assert!(begin.elapsed() <= Duration::from_secs(30), "{:?}", begin.elapsed());
    assert!(world.channels.peers().is_empty());
    while world.connections.try_recv().is_ok() {}

    world.server.joined("b").await;
    assert!(matches!(world.event().await, Event::PeerJoined { .. }));
    let mut next = world.connection().await;
    next.offers().await;
    let _link = next.links(&other).await;
    while !matches!(world.event().await, Event::Connected { .. }) {}
    assert!(two.delivered().await.is_ok(), "it was kept");
    assert_eq!(other.next().await, "two");
    world.leave().await;
}

#[tokio::test(start_paused = true)]
async fn an_address_that_is_gone_is_not_waited_for() {
    let mut world = World::new(&["b"], 16);
    let (other, _connection, link) = open_pair(&mut world).await;
    let begin = Instant::now();
    let changed = |address: [u8; 4]| Changed { addresses: [address.into()].into(), slept: Duration::ZERO };
    world.change.send(changed([192, 0, 2, 1])).await.unwrap();
    world.change.send(changed([192, 0, 2, 9])).await.unwrap();
    assert!(matches!(world.event().await, Event::Interrupted { .. }));
    let mut next = world.connection().await;
    assert_eq!(begin.elapsed(), Duration::ZERO);
    drop(link);
    next.offers().await;
    let _link = next.links(&other).await;
    assert!(matches!(world.event().await, Event::Recovered { .. }));
    world.leave().await;
}
