//! What comes first on a connection says whether it is HTTP or the relay.

use tokio::time::timeout;
use tracing::debug;

use super::Server;
use crate::{
    connection_limit::Slot,
    limits::{HEADER_TIMEOUT, Limit},
    listen::{Begins, Remote, Takes, Wire},
    relay::stream,
    write_deadline::WriteDeadline,
};

impl Server {
    /// The connection, if HTTP is spoken on it. Otherwise it is relayed for here, until it ends.
    pub(super) async fn told_apart(
        &self,
        mut wire: Wire,
        remote: Remote,
        slot: Slot,
        takes: Takes,
    ) -> Option<(Wire, Slot)> {
        let is_stun = takes != Takes::Http && wire.may_speak_stun() && self.begins(&mut wire).await? == Begins::Stun;
        if is_stun {
            Box::pin(self.relay_for(wire, remote, slot)).await;
            return None;
        }
        (takes != Takes::Relay).then_some((wire, slot))
    }

    /// What a connection begins with; none when nothing comes, or is to be waited for.
    async fn begins(&self, wire: &mut Wire) -> Option<Begins> {
        match timeout(HEADER_TIMEOUT, self.stop.run_until_cancelled(wire.begins())).await.ok()? {
            Some(begins) => begins.ok(),
            // HTTP knows how to end.
            None => Some(Begins::Other),
        }
    }

    /// Relays, in a place of the relay's own instead of one of HTTP's.
    async fn relay_for(&self, wire: Wire, remote: Remote, slot: Slot) {
        let Some(relay) = &self.relay else { return };
        let Some(place) = relay.place() else {
            self.door.metrics().limited.inc(Limit::TurnAllocations);
            return debug!("the relay takes no more streams");
        };
        let _slot = slot.at(place);
        let has_records = wire.is_secure();
        stream::serve(relay.clone(), WriteDeadline::new(wire, self.stop.clone()), remote.address(), has_records).await;
    }
}
