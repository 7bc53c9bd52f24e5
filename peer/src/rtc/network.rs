//! Which addresses to gather candidates on.

mod usefulness;

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::atomic::{AtomicBool, Ordering},
};

use if_addrs::Interface;

use self::usefulness::Usefulness;
use crate::{
    limits::{
        LARGE_RECEIVE_WINDOW_BYTES, LOCAL_ADDRESSES, PATIENT_SOCKET_BYTES, RECEIVE_WINDOW_BYTES,
        SMALL_RECEIVE_WINDOW_BYTES, SOCKET_BUFFER_BYTES,
    },
    report::LocalCause,
};

/// How this peer is reached. The default takes every usable address of every interface, IPv4 and IPv6, and loopback
/// when that is all there is.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Network {
    /// Only these interfaces, by name. Loopback has to be named to be used beside others.
    pub interfaces: Vec<String>,
    /// Not these interfaces, by name.
    pub excluded: Vec<String>,
    /// Addresses to advertise besides the own ones: those of a NAT that forwards its ports unchanged.
    pub advertised: Vec<IpAddr>,
    /// Only connections through a TURN server, so that the other peers don't learn this one's addresses.
    pub relay_only: bool,
    /// Don't look up the `.local` names by which browsers hide their addresses.
    pub no_mdns: bool,
}

/// There is no address to gather on.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// The system does not say.
    #[error("the network interfaces can't be listed: {0}")]
    Unlisted(std::io::Error),
    /// It can't say, because this machine lacks something else.
    #[error(transparent)]
    Local(LocalCause),
    /// A name that is not there.
    #[error("there is no interface {name:?} with an address; there are {there:?}")]
    NoSuchInterface {
        /// The name.
        name: String,
        /// The names that are there.
        there: Vec<String>,
    },
    /// Only relayed connections are wanted, and there is no relay.
    #[error("only relayed connections are wanted, and no TURN server is known: name one with --ice-server turn:HOST")]
    NoRelay,
    /// Nothing is left.
    #[error("there is no usable network address: is an interface up, or do --interface and --exclude leave none?")]
    Nothing,
}

impl Network {
    /// The addresses to bind, each with port 0, as they are now.
    pub(crate) fn addresses(&self) -> Result<Vec<SocketAddr>, NetworkError> {
        let there = if_addrs::get_if_addrs().map_err(unlisted)?;
        let (chosen, left_out) = choose(self, there, &Usefulness::of_this_machine())?;
        if !left_out.is_empty() && !LEFT_OUT_SAID.swap(true, Ordering::Relaxed) {
            let left_out: Vec<String> = left_out.iter().map(|it| format!("{} ({})", it.ip(), it.name)).collect();
            tracing::warn!(
                "more than {LOCAL_ADDRESSES} network addresses: no connection is tried on {}; --interface chooses others",
                left_out.join(", ")
            );
        }
        Ok(chosen.into_iter().map(|interface| SocketAddr::new(interface.ip(), 0)).collect())
    }
}

/// The addresses that this machine has now; none, if it does not say.
pub(crate) fn present_addresses() -> Option<BTreeSet<IpAddr>> {
    let there = if_addrs::get_if_addrs().ok()?;
    Some(there.iter().filter(|it| !is_down(it) && !it.is_link_local()).map(Interface::ip).collect())
}

fn unlisted(error: std::io::Error) -> NetworkError {
    match LocalCause::is_out_of_files(&error) {
        true => NetworkError::Local(LocalCause::OutOfFiles),
        false => NetworkError::Unlisted(error),
    }
}

/// Set once it was said which addresses are not used.
static LEFT_OUT_SAID: AtomicBool = AtomicBool::new(false);

/// Loopback and tunnels have no carrier to report: their state is unknown, and they work.
fn is_down(interface: &Interface) -> bool {
    use if_addrs::IfOperStatus::{Down, LowerLayerDown, NotPresent};
    matches!(interface.oper_status, Down | NotPresent | LowerLayerDown)
}

/// The most useful addresses, and what is left of those that are wanted.
fn choose(
    network: &Network,
    there: Vec<Interface>,
    usefulness: &Usefulness,
) -> Result<(Vec<Interface>, Vec<Interface>), NetworkError> {
    for name in &network.interfaces {
        if !there.iter().any(|interface| interface.name == *name) {
            let mut there: Vec<String> = there.into_iter().map(|interface| interface.name).collect();
            there.sort();
            there.dedup();
            return Err(NetworkError::NoSuchInterface { name: name.clone(), there });
        }
    }
    let wanted = |interface: &Interface| {
        (network.interfaces.is_empty() || network.interfaces.contains(&interface.name))
            && !network.excluded.contains(&interface.name)
    };
    // Link-local addresses need a scope, which candidates don't carry.
    let usable = there.into_iter().filter(|interface| !is_down(interface) && !interface.is_link_local());
    let (loopback, mut chosen): (Vec<_>, Vec<_>) = usable.filter(wanted).partition(Interface::is_loopback);
    if chosen.is_empty() || loopback.iter().any(|interface| network.interfaces.contains(&interface.name)) {
        chosen.extend(loopback);
    }
    usefulness.sort(&mut chosen);
    let left_out = chosen.split_off(chosen.len().min(LOCAL_ADDRESSES));
    match chosen.is_empty() {
        true => Err(NetworkError::Nothing),
        false => Ok((chosen, left_out)),
    }
}

/// What this machine lacks to bind all addresses at once, if it lacks something: what the library says of it is a text.
pub(super) fn lacks(network: &Network) -> Option<LocalCause> {
    let addresses = match network.addresses() {
        Ok(addresses) => addresses,
        Err(NetworkError::Local(cause)) => return Some(cause),
        Err(NetworkError::Unlisted(error)) => return Some(error.into()),
        Err(_) => return Some(LocalCause::NoAddress),
    };
    let bound: Result<Vec<_>, _> = addresses.iter().map(UdpSocket::bind).collect();
    bound.err().map(LocalCause::from)
}

/// The receive window of an association, and what a UDP socket holds that this many bytes are asked for.
pub(super) fn receive_limits(asked: usize) -> (u32, usize) {
    let holds = granted(asked).unwrap_or(0);
    (receive_window(holds), holds)
}

/// The receive window of a peer of this kind whose UDP socket holds so much.
pub(super) fn receive_window(socket: usize) -> u32 {
    match socket {
        SOCKET_BUFFER_BYTES.. => LARGE_RECEIVE_WINDOW_BYTES,
        PATIENT_SOCKET_BYTES.. => RECEIVE_WINDOW_BYTES,
        _ => SMALL_RECEIVE_WINDOW_BYTES,
    }
}

/// What the kernel gives a UDP socket that asks for this many bytes.
fn granted(asked: usize) -> Option<usize> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None).ok()?;
    let _ = socket.set_recv_buffer_size(asked);
    let holds = socket.recv_buffer_size().ok()?;
    // Linux counts what it needs itself, and reports twice what it was asked for.
    Some(if cfg!(target_os = "linux") { holds / 2 } else { holds })
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use if_addrs::{IfAddr, IfOperStatus, Ifv4Addr, Ifv6Addr};

    use super::*;

    fn interface(name: &str, ip: &str, oper_status: IfOperStatus) -> Interface {
        let addr = match ip.parse().unwrap() {
            IpAddr::V4(ip) => {
                IfAddr::V4(Ifv4Addr { ip, netmask: Ipv4Addr::UNSPECIFIED, prefixlen: 24, broadcast: None })
            }
            IpAddr::V6(ip) => IfAddr::V6(Ifv6Addr { ip, netmask: ip, prefixlen: 64, broadcast: None }),
        };
        Interface { name: name.to_owned(), addr, index: None, oper_status, is_p2p: false }
    }

    fn machine() -> Vec<Interface> {
        [
            ("lo", "127.0.0.1", IfOperStatus::Unknown),
            ("lo", "::1", IfOperStatus::Unknown),
            ("eth0", "192.0.2.2", IfOperStatus::Up),
            ("eth0", "fd00::2", IfOperStatus::Up),
            ("eth0", "fe80::1", IfOperStatus::Up),
            ("docker0", "172.17.0.1", IfOperStatus::Down),
            ("wg0", "10.0.0.1", IfOperStatus::Up),
        ]
        .map(|(name, ip, status)| interface(name, ip, status))
        .into()
    }

    fn chosen(interfaces: &[&str], excluded: &[&str], there: Vec<Interface>) -> Option<Vec<String>> {
        let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
        let network = Network { interfaces: names(interfaces), excluded: names(excluded), ..Network::default() };
        let usefulness = Usefulness::new(&["192.0.2.2"], &["docker0"]);
        choose(&network, there, &usefulness)
            .ok()
            .map(|(chosen, _)| chosen.iter().map(|it| it.ip().to_string()).collect())
    }

    fn ips(list: &[&str]) -> Option<Vec<String>> {
        Some(list.iter().map(|ip| (*ip).to_owned()).collect())
    }

    #[test]
    fn takes_all_usable_addresses_of_both_families() {
        assert_eq!(chosen(&[], &[], machine()), ips(&["192.0.2.2", "fd00::2", "10.0.0.1"]));
    }

    #[test]
    fn takes_loopback_when_it_is_all_there_is_or_asked_for() {
        assert_eq!(chosen(&[], &[], machine()[..2].to_vec()), ips(&["127.0.0.1", "::1"]));
        assert_eq!(chosen(&["lo", "wg0"], &[], machine()), ips(&["127.0.0.1", "::1", "10.0.0.1"]));
        assert_eq!(chosen(&[], &["eth0", "wg0"], machine()), ips(&["127.0.0.1", "::1"]));
    }

    #[test]
    fn is_steered_by_names() {
        assert_eq!(chosen(&["eth0"], &[], machine()), ips(&["192.0.2.2", "fd00::2"]));
        assert_eq!(chosen(&[], &["eth0"], machine()), ips(&["10.0.0.1"]));
        assert_eq!(chosen(&["nope0"], &[], machine()), None);
        assert_eq!(chosen(&["eth0"], &["eth0"], machine()), None);
    }

    #[test]
    fn takes_the_most_useful_when_there_are_too_many() {
        let mut there: Vec<_> =
            (0..20).map(|n| interface(&format!("br{n}"), &format!("172.20.{n}.1"), IfOperStatus::Up)).collect();
        there.push(interface("tun0", "10.8.0.2", IfOperStatus::Up));
        there.push(interface("eth0", "fd00::2", IfOperStatus::Up));
        there.push(interface("eth0", "192.0.2.2", IfOperStatus::Up));
        let bridges: Vec<String> = (0..20).map(|n| format!("br{n}")).collect();
        let usefulness = Usefulness::new(&["192.0.2.2"], &bridges.iter().map(String::as_str).collect::<Vec<_>>());
        let (chosen, left_out) = choose(&Network::default(), there, &usefulness).unwrap();
        let first: Vec<String> = chosen.iter().take(3).map(|it| it.ip().to_string()).collect();
        assert_eq!(first, ["192.0.2.2", "fd00::2", "10.8.0.2"]);
        assert_eq!((chosen.len(), left_out.len()), (LOCAL_ADDRESSES, 23 - LOCAL_ADDRESSES));
        assert!(left_out.iter().all(|it| it.name.starts_with("br")));
    }

    #[test]
    fn says_which_interfaces_there_are() {
        let network = Network { interfaces: vec!["nope0".to_owned()], ..Network::default() };
        let error = choose(&network, machine(), &Usefulness::new(&[], &[])).unwrap_err().to_string();
        assert!(error.contains("nope0") && error.contains("eth0"), "{error}");
    }
}
