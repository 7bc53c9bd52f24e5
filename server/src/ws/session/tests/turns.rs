//! Who sends without a pause lets the others have their turn.

use tokio::task::yield_now;

use super::*;

const MEMBERS: usize = 64;
const BROADCASTS: usize = 64;

impl Rooms {
    /// Somebody who takes what it gets by itself.
    fn take_in(&self, peer: usize) -> (Membership, Outbox) {
        let (outbox, peer) = (Outbox::default(), peer.to_string().parse().unwrap());
        let joined = self.0.registry.join(&"r".parse().unwrap(), peer, outbox.clone(), Asks::default(), None);
        (joined.unwrap(), outbox)
    }
}

#[tokio::test]
async fn what_reaches_many_counts_for_more_than_a_message() {
    let rooms = Rooms::new(0);
    let members: Vec<_> = (0..MEMBERS).map(|peer| rooms.take_in(peer)).collect();
    let (mut loud, (_, last)) = (rooms.join("loud").await, &members[MEMBERS - 1]);
    last.take();
    for n in 0..BROADCASTS {
        loud.socket.feed(Message::text(json!({"type": "broadcast", "data": n}).to_string())).await.unwrap();
    }
    loud.socket.flush().await.unwrap();
    let mut turns = Vec::new();
    while turns.iter().sum::<usize>() < BROADCASTS {
        yield_now().await;
        turns.push(last.take().len());
    }
    // Each is read, and reaches two times 32.
    assert_eq!(turns.iter().copied().max(), Some(READS_IN_A_ROW.div_ceil(3)), "{turns:?}");
}
