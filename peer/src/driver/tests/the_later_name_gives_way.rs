use super::*;

#[tokio::test(start_paused = true)]
async fn the_later_name_gives_way() {
    // "b", "me", "z": each of the others offers while it is offered to.
    let mut world = World::new(&["b", "z"], 64);
    let [mut to_b, mut to_z] = [world.connection().await, world.connection().await];
    for connection in [&mut to_b, &mut to_z] {
        connection.offers().await;
        world.server.hears("offer").await;
    }
    world.server.offers("z", "z-1").await;
    world.server.offers("b", "b-1").await;
    let answering = world.connection().await;
    assert_eq!((answering.context.key.peer.as_str(), answering.context.channel), ("b", None));
    to_b.dropped().await;
    assert!(to_z.commands.is_empty() && !to_z.commands.is_closed(), "the offer to z stands");
    world.leave().await;
}
