//! The server is told what came of a pair, once, unless it knows nothing of that.

use super::*;

#[tokio::test(start_paused = true)]
async fn once_for_each_outcome() {
    let mut world = World::new(&["b"], 16);
    let (_connection, _) = world.connected().await;
    let report = world.server.hears("report").await;
    assert_eq!((&report["peer_id"], &report["result"]), (&json!("b"), &json!("connected")));
    assert_eq!(report["pair"]["protocol"], "udp");
    assert!(report["timings_ms"]["total"].is_number(), "{report}");
    world.leave().await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_knows_no_report_is_an_older_one_and_that_is_no_error() {
    let mut world = World::new(&["b"], 16);
    let (_connection, _) = world.connected().await;
    world.server.hears("report").await;
    let unknown = |message| json!({"type": "error", "code": "unknown_type", "message": message});
    world.server.says(unknown("report")).await;
    world.server.says(unknown("something else")).await;
    loop {
        if let Event::ServerError { code, message } = world.event().await {
            assert_eq!((&*code, &*message), ("unknown_type", "something else"));
            break;
        }
    }
    world.leave().await;
}
