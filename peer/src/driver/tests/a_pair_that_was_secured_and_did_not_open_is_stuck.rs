use super::*;
use crate::report::Stage;

#[tokio::test(start_paused = true)]
async fn a_pair_that_was_secured_and_did_not_open_is_stuck() {
    let mut world = World::new(&["b"], 64);
    let mut first = world.connection().await;
    first.offers().await;
    first.tells(backend::Event::Stage(Stage::Sctp)).await;
    let mut second = world.connection().await;
    second.offers().await;
    let _opened = second.opens().await;
    while !matches!(world.event().await, Event::Connected { .. }) {}
    let (connection, reason) = (second.context.connection, "cut".to_owned());
    second.tells(backend::Event::Input(Input::ConnectionLost { connection, reason })).await;
    let third = world.connection().await;
    assert_eq!([&first, &second, &third].map(|it| it.context.stuck), [false, true, false]);
    drop((first, second, third));
    world.leave().await;
}
