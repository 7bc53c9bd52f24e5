//! Every number of the peer, once.

/// How long the side that offers lets a connection open, in milliseconds: one for each try. The library's
/// handshakes can hang for ever when packets are lost, and a fresh connection opens in seven round trips.
pub(crate) const OPEN_WAITS_MS: [u64; 3] = [4_000, 6_000, 10_000];
/// How long the side that answers waits for an open channel before it offers itself.
pub(crate) const RESPONDER_PATIENCE_MS: u64 = 12_000;
/// The same after an open connection was lost.
pub(crate) const RESPONDER_REOPEN_MS: u64 = 3_000;
/// Remote candidates of one pair that wait for their description. The oldest goes when one more comes.
pub(crate) const CANDIDATES_HELD: usize = 64;
/// Names of attempts that are over and still known.
pub(crate) const PAST_ATTEMPTS: usize = 64;
