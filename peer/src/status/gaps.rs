//! When a connection was interrupted, why, and for how long.

use std::collections::VecDeque;

use grtc_peer::PeerId;
use serde::Serialize;

use crate::text::escaped;

/// Gaps that the page shows.
const SHOWN: usize = 100;

/// The last gaps, in the order in which they began.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub(super) struct Gaps(VecDeque<Gap>);

/// A connection that was interrupted.
#[derive(Clone, Debug, Serialize)]
struct Gap {
    /// When it began.
    t_ms: u64,
    /// With whom; none: the link to the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    peer_id: Option<PeerId>,
    why: String,
    /// How long it was; none: it is not over.
    #[serde(skip_serializing_if = "Option::is_none")]
    gap_ms: Option<u64>,
}

impl Gaps {
    /// The connection with this peer, or the link to the server, is interrupted. One that is already stays so.
    pub(super) fn begin(&mut self, peer: Option<&PeerId>, t_ms: u64, why: &str) {
        if self.open(peer).is_some() {
            return;
        }
        if self.0.len() == SHOWN {
            self.0.pop_front();
        }
        self.0.push_back(Gap { t_ms, peer_id: peer.cloned(), why: escaped(why).into_owned(), gap_ms: None });
    }

    /// It is there again.
    pub(super) fn over(&mut self, peer: Option<&PeerId>, t_ms: u64) {
        if let Some(gap) = self.open(peer) {
            gap.gap_ms = Some(t_ms.saturating_sub(gap.t_ms));
        }
    }

    fn open(&mut self, peer: Option<&PeerId>) -> Option<&mut Gap> {
        self.0.iter_mut().rev().find(|gap| gap.peer_id.as_ref() == peer).filter(|gap| gap.gap_ms.is_none())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_gap_has_a_begin_a_reason_and_an_end() {
        let (mut gaps, b) = (Gaps::default(), "b".parse().unwrap());
        gaps.over(None, 1);
        gaps.begin(None, 10, "cut\n");
        gaps.begin(Some(&b), 20, "silent");
        gaps.begin(None, 30, "refused");
        gaps.over(None, 40);
        assert_eq!(
            serde_json::to_value(&gaps).unwrap(),
            json!([{"t_ms":10,"why":"cut\\n","gap_ms":30},{"t_ms":20,"peer_id":"b","why":"silent"}])
        );
        gaps.begin(None, 50, "again");
        assert_eq!(serde_json::to_value(&gaps).unwrap()[2]["why"], "again");
    }

    #[test]
    fn is_bounded() {
        let mut gaps = Gaps::default();
        for n in 0..SHOWN as u64 + 3 {
            gaps.begin(None, n, "");
            gaps.over(None, n);
        }
        assert_eq!((gaps.0.len(), gaps.0[0].t_ms), (SHOWN, 3));
    }
}
