//! What a relay counts.

/// Why something was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No credentials, or wrong ones, or ones whose time is over.
    Auth,
    /// A user had as many allocations as it may have, all of them in use.
    Quota,
    /// There were as many allocations as there may be, or the server was about to end.
    Capacity,
    /// The address is no live allocation of the same room.
    Peer,
    /// Data beyond a user's rate.
    Rate,
    /// Somebody unknown asked more often than is answered.
    Network,
    /// Data for a client that does not take what it is sent fast enough.
    Queue,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Bytes of data from clients.
    pub bytes_in: u64,
    /// Bytes of data to clients.
    pub bytes_out: u64,
    refused: [u64; Refusal::ALL.len()],
}

impl Refusal {
    /// Each of them.
    pub const ALL: [Self; 7] =
        [Self::Auth, Self::Quota, Self::Capacity, Self::Peer, Self::Rate, Self::Network, Self::Queue];

    /// Its name.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Quota => "quota",
            Self::Capacity => "capacity",
            Self::Peer => "peer",
            Self::Rate => "rate",
            Self::Network => "network",
            Self::Queue => "queue",
        }
    }
}

impl Stats {
    /// How often it was refused for this.
    #[must_use]
    pub fn refused(&self, refusal: Refusal) -> u64 {
        self.refused[refusal as usize]
    }

    pub(super) fn refuse(&mut self, refusal: Refusal) {
        self.refused[refusal as usize] += 1;
    }
}
