use super::*;
use crate::limits::EVENT_QUEUE;

#[tokio::test(start_paused = true)]
async fn nobody_is_read_while_the_program_does_not_read() {
    let mut world = World::new(&[], 1);
    let mut said = 0;
    let frame = json!({"type":"broadcast_message","from_peer_id":"b","data":"x","timestamp":"t"}).to_string();
    // Until the link takes no more for a second, which is for ever here: the clock only goes on when all wait.
    let second = std::time::Duration::from_secs(1);
    while let Ok(sent) = tokio::time::timeout(second, world.server.to_peer.send(Incoming::Text(frame.clone()))).await {
        sent.unwrap();
        said += 1;
    }
    assert!((EVENT_QUEUE..=EVENT_QUEUE + 70).contains(&said), "{said} frames were taken in");

    assert!(matches!(world.event().await, Event::Joined { .. }));
    for _ in 0..said {
        assert!(matches!(world.event().await, Event::Message { .. }));
    }
    world.leave().await;
}
