//! The addresses that allocations have.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// The server's own as far as it is known. Nothing is ever sent to them but by way of the
/// table, so that any will do.
pub(crate) fn relayed(listen: IpAddr, public: Option<IpAddr>) -> (Ipv4Addr, Ipv6Addr) {
    let mut known: Vec<IpAddr> = public.into_iter().chain([listen]).filter(|ip| !ip.is_unspecified()).collect();
    known.extend(
        [own((Ipv4Addr::UNSPECIFIED, 0), (ELSEWHERE.0, 9)), own((Ipv6Addr::UNSPECIFIED, 0), (ELSEWHERE.1, 9))]
            .into_iter()
            .flatten(),
    );
    let v4 = known.iter().find_map(|ip| if let IpAddr::V4(ip) = ip { Some(*ip) } else { None });
    let v6 = known.iter().find_map(|ip| if let IpAddr::V6(ip) = ip { Some(*ip) } else { None });
    (v4.unwrap_or(ELSEWHERE.0), v6.unwrap_or(ELSEWHERE.1))
}

/// Addresses that nobody has (RFC 5737 and RFC 3849).
const ELSEWHERE: (Ipv4Addr, Ipv6Addr) = (Ipv4Addr::new(192, 0, 2, 1), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));

/// The address that this machine has towards others, for which no packet is sent.
fn own(from: impl Into<SocketAddr>, to: impl Into<SocketAddr>) -> Option<IpAddr> {
    let socket = UdpSocket::bind(from.into()).ok()?;
    socket.connect(to.into()).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allocations_have_the_address_that_is_told_or_the_server_s() {
        let (listen, public) = ("127.0.0.1".parse().unwrap(), "203.0.113.7".parse().unwrap());
        assert_eq!(relayed(listen, None).0, Ipv4Addr::LOCALHOST);
        assert_eq!(relayed(listen, Some(public)).0, Ipv4Addr::new(203, 0, 113, 7));
        assert!(!relayed("0.0.0.0".parse().unwrap(), None).0.is_unspecified());
        assert_eq!(relayed("::1".parse().unwrap(), None).1, Ipv6Addr::LOCALHOST);
    }
}
