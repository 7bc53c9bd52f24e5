//! Who was sent away, and until when.

use std::{collections::HashMap, sync::Arc};

use grtc_protocol::{PeerId, RoomId};
use jiff::Timestamp;

use crate::auth::Caller;

/// Bans at most, in all rooms; beyond that the one that ends first is over.
const BANS: usize = 10_000;

/// The bans of all rooms, those that are empty included.
#[derive(Default)]
pub(super) struct Bans(HashMap<RoomId, Vec<Ban>>);

/// One of somebody in a room.
pub(crate) struct Ban {
    pub(crate) peer: PeerId,
    /// Whoever it was, under whatever peer id.
    pub(crate) sub: Option<Arc<str>>,
    pub(crate) until: Timestamp,
}

impl Bans {
    /// Keeps a peer, and who it was, out of a room.
    pub(super) fn add(&mut self, room: RoomId, ban: Ban, now: Timestamp) {
        self.0.retain(|_, bans| {
            bans.retain(|ban| ban.until > now);
            !bans.is_empty()
        });
        if self.0.values().map(Vec::len).sum::<usize>() >= BANS {
            let first = self.0.values().flatten().map(|ban| ban.until).min();
            self.0.values_mut().for_each(|bans| bans.retain(|ban| Some(ban.until) != first));
        }
        self.0.entry(room).or_default().push(ban);
    }

    /// Whether this one may not come into this room now.
    pub(super) fn include(&self, room: &RoomId, peer: &PeerId, caller: Option<&Caller>, now: Timestamp) -> bool {
        let Some(bans) = self.0.get(room) else { return false };
        let sub = caller.and_then(|caller| caller.sub.as_ref());
        bans.iter().any(|ban| now < ban.until && (ban.peer == *peer || (ban.sub.is_some() && ban.sub.as_ref() == sub)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ban_is_of_an_id_and_of_who_had_it_in_one_room_for_a_while() {
        let name = |text: &str| text.parse::<PeerId>().unwrap();
        let room = |text: &str| text.parse::<RoomId>().unwrap();
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut bans = Bans::default();
        bans.add(room("r"), Ban { peer: name("a"), sub: Some("ann".into()), until: at(10) }, at(0));
        assert!(bans.include(&room("r"), &name("a"), None, at(9)));
        assert!(bans.include(&room("r"), &name("b"), Some(&Caller::named("ann")), at(9)));
        assert!(!bans.include(&room("r"), &name("b"), Some(&Caller::named("bob")), at(9)));
        assert!(!bans.include(&room("other"), &name("a"), Some(&Caller::named("ann")), at(9)));
        assert!(!bans.include(&room("r"), &name("a"), Some(&Caller::named("ann")), at(10)));
        bans.add(room("q"), Ban { peer: name("a"), sub: None, until: at(30) }, at(20));
        assert_eq!(bans.0.len(), 1);
        assert!(!bans.include(&room("q"), &name("b"), None, at(20)), "nobody else without a name is meant");
    }
}
