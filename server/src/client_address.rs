//! Whose address a connection or a request counts for.
//!
//! A connection has the address that it comes from. Where that is a proxy that the operator trusts (`--trusted-proxy`), what
//! counts is the address that the proxy names: in a PROXY header before anything else, or in `Forwarded` (RFC 7239) or
//! `X-Forwarded-For` of each request. Nobody else is believed.

mod forwarded;
pub(crate) mod proxy_header;
mod trusted;

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr},
};

use hyper::HeaderMap;

pub use trusted::{InvalidProxy, TrustedProxy};

use crate::listen::Remote;

/// Where a client is, as far as limits tell clients apart: an IPv4 address, or an IPv6 network of 64 bits, which is what one
/// customer has. It is personal, and shows itself to nobody.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Address {
    /// This machine itself: exempt from what is counted by address.
    Loopback,
    V4(Ipv4Addr),
    /// The first 64 bits.
    V6(u64),
}

impl Address {
    /// The address to count for, of whoever it is.
    fn counted(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => Self::V4(ip),
            IpAddr::V6(ip) => Self::V6((ip.to_bits() >> 64) as u64),
        }
    }

    /// The address of a client that nobody stands before, or whose proxies are all of this machine.
    fn of(ip: IpAddr, is_local: bool) -> Self {
        if is_local && ip.to_canonical().is_loopback() { Self::Loopback } else { Self::counted(ip) }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Loopback { "loopback" } else { "remote" })
    }
}

/// Whom the server believes what it says of a client's address.
#[derive(Debug, Default)]
pub(crate) struct Proxies {
    trusted: Vec<TrustedProxy>,
    /// A PROXY header comes first on each of their connections.
    proxy_protocol: bool,
}

impl Proxies {
    pub(crate) fn new(trusted: Vec<TrustedProxy>, proxy_protocol: bool) -> Self {
        Self { trusted, proxy_protocol }
    }

    /// Whether a connection begins with a PROXY header.
    pub(crate) fn introduces(&self, remote: Remote) -> bool {
        self.proxy_protocol && self.trusts(remote.ip())
    }

    /// Whether a connection carries requests of many clients.
    pub(crate) fn is_shared(&self, remote: Remote) -> bool {
        self.trusts(remote.ip())
    }

    /// Whose connection it is.
    pub(crate) fn connection(remote: Remote) -> Address {
        Address::of(remote.ip(), remote.is_local())
    }

    /// Whose request it is that came over this connection: of the hops that `Forwarded` names, or else `X-Forwarded-For`, the
    /// first from the right that is no trusted proxy. Where one of them is no address, it counts for the proxy that says so, and
    /// never for this machine itself.
    pub(crate) fn client(&self, remote: Remote, headers: &HeaderMap) -> Address {
        if !self.trusts(remote.ip()) {
            return Self::connection(remote);
        }
        let mut hop = remote.ip();
        for named in forwarded::hops(headers) {
            match named {
                Some(ip) if self.trusts(ip) => hop = ip,
                Some(ip) => return Address::of(ip, remote.is_local()),
                None => return Address::counted(hop),
            }
        }
        Address::of(hop, remote.is_local())
    }

    fn trusts(&self, ip: IpAddr) -> bool {
        self.trusted.iter().any(|proxy| proxy.contains(ip))
    }
}

#[cfg(test)]
mod tests;
