//! What `--trusted-proxy` takes.

use std::{fmt, net::IpAddr, str::FromStr};

use ipnet::{IpNet, Ipv4Net};
use serde::{Serialize, Serializer};

/// A network whose machines are believed what they say of their clients' addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrustedProxy(IpNet);

/// Not a network.
#[derive(Debug, thiserror::Error)]
#[error("a trusted proxy is an address or a network, as 10.0.0.7, 10.0.0.0/8 or fd00::/8")]
pub struct InvalidProxy;

impl TrustedProxy {
    pub(super) fn contains(&self, ip: IpAddr) -> bool {
        self.0.contains(&ip.to_canonical())
    }
}

impl FromStr for TrustedProxy {
    type Err = InvalidProxy;

    /// An address, or one with the length of its network. What is IPv4 within IPv6 is taken as IPv4.
    fn from_str(text: &str) -> Result<Self, InvalidProxy> {
        let network = match text.parse::<IpAddr>() {
            Ok(ip) => IpNet::from(ip),
            Err(_) => text.parse::<IpNet>().map_err(|_| InvalidProxy)?.trunc(),
        };
        Ok(Self(match (network.addr().to_canonical(), network.prefix_len()) {
            (IpAddr::V4(ip), length) if !network.addr().is_ipv4() && length >= 96 => {
                IpNet::V4(Ipv4Net::new(ip, length - 96).map_err(|_| InvalidProxy)?)
            }
            _ => network,
        }))
    }
}

impl fmt::Display for TrustedProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for TrustedProxy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
