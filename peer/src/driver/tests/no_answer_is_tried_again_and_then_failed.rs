use std::time::Duration;

use tokio::time::Instant;

use super::*;
use crate::report::Stage;

#[tokio::test(start_paused = true)]
async fn no_answer_is_tried_again_and_then_failed() {
    let (mut world, begin) = (World::new(&["b"], 64), Instant::now());
    let mut kept = Vec::new();
    for at in [0, 4, 10] {
        let mut connection = world.connection().await;
        assert_eq!(begin.elapsed().as_secs(), at);
        connection.offers().await;
        let offer = world.server.hears("offer").await;
        assert_eq!(offer["target_peer_id"], "b");
        kept.push(connection);
    }
    let failed = loop {
        if let Event::Failed { peer_id, stage, .. } = world.event().await {
            break (peer_id, stage);
        }
    };
    assert_eq!((begin.elapsed(), failed), (Duration::from_secs(20), (id("b"), Stage::Signaling)));
    for connection in kept {
        connection.dropped().await;
    }
    world.leave().await;
}
