use std::time::Duration;

use tokio::time::Instant;

use super::*;
use crate::limits::ABSENT_GRACE_MS;

#[tokio::test(start_paused = true)]
async fn a_channel_outlives_a_lost_link() {
    let mut world = World::new(&["b"], 64);
    let mut connection = world.connection().await;
    connection.offers().await;
    let (mut sent, _) = connection.opens().await;
    while !matches!(world.event().await, Event::Connected { .. }) {}

    world.server.breaks().await;
    while !matches!(world.event().await, Event::Reconnecting { .. }) {}
    drop(world.channels.queue(&id("b"), &"still there".into()).await.unwrap());
    assert_eq!(sent.recv().await.unwrap().as_text(), Some("still there"));

    // `b` has not come back yet: its channel is kept, and nobody is offered to.
    let server = world.links.recv().await.unwrap();
    server.room_state(&[]).await;
    let begin = Instant::now();
    while !matches!(world.event().await, Event::Joined { .. }) {}
    assert_eq!(world.channels.peers(), [id("b")]);
    assert!(world.connections.try_recv().is_err());

    while !matches!(world.event().await, Event::Disconnected { .. }) {}
    assert_eq!(begin.elapsed(), Duration::from_millis(ABSENT_GRACE_MS));
    assert!(world.channels.peers().is_empty());
    connection.dropped().await;
    world.leave().await;
}
