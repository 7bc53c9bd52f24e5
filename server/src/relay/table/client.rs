//! Who a client is, and when it is.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

/// Where a message comes from, and an answer goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Client {
    /// The datagrams of this address, to this one of ours if that is known.
    Udp(SocketAddr, Option<IpAddr>),
    /// A stream, by its number, of a client at this address.
    Stream(u64, SocketAddr),
}

/// When something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Since the start, by a clock that never goes back.
    pub at: Duration,
    /// In seconds since 1970.
    pub unix: u64,
}

impl Client {
    /// Whether its address is its own for sure, as that of a datagram is not.
    pub(super) fn is_certain(self) -> bool {
        matches!(self, Self::Stream(..))
    }

    /// The address that it is seen at.
    #[must_use]
    pub fn address(self) -> SocketAddr {
        let (Self::Udp(address, _) | Self::Stream(_, address)) = self;
        SocketAddr::new(address.ip().to_canonical(), address.port())
    }
}
