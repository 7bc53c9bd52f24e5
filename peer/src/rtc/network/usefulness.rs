//! Which local addresses are likely to reach another peer.

use std::net::{IpAddr, UdpSocket};

use if_addrs::Interface;

/// Addresses for documentation (RFC 5737, RFC 3849): the way there is the default route.
const ELSEWHERE: [(&str, &str); 2] = [("0.0.0.0:0", "192.0.2.1:9"), ("[::]:0", "[2001:db8::1]:9")];
/// How the interfaces to containers and virtual machines of this machine are called.
const INWARD: [&str; 12] =
    ["docker", "br-", "veth", "virbr", "cni", "flannel", "cali", "podman", "lxc", "lxdbr", "vmnet", "vboxnet"];

/// What is known of the local addresses.
pub(super) struct Usefulness {
    /// Where packets to elsewhere leave.
    default_routes: Vec<IpAddr>,
    is_inward: Box<dyn Fn(&str) -> bool>,
}

impl Usefulness {
    pub(super) fn of_this_machine() -> Self {
        let default_routes = ELSEWHERE.iter().filter_map(|(from, to)| source(from, to)).collect();
        Self { default_routes, is_inward: Box::new(is_inward) }
    }

    #[cfg(test)]
    pub(super) fn new(default_routes: &[&str], inward: &[&str]) -> Self {
        let inward: Vec<String> = inward.iter().map(|name| (*name).to_owned()).collect();
        Self {
            default_routes: default_routes.iter().map(|ip| ip.parse().unwrap()).collect(),
            is_inward: Box::new(move |name| inward.iter().any(|inward| inward == name)),
        }
    }

    /// The most useful first: loopback, which is there only if it is asked for or alone; the default route's address; the
    /// others of that interface; all others; last what leads into this machine.
    pub(super) fn sort(&self, interfaces: &mut [Interface]) {
        let is_default = |interface: &Interface| self.default_routes.contains(&interface.ip());
        let outward: Vec<String> = interfaces.iter().filter(|it| is_default(it)).map(|it| it.name.clone()).collect();
        interfaces.sort_by_cached_key(|interface| match interface {
            it if it.is_loopback() => 0,
            it if is_default(it) => 1,
            it if outward.contains(&it.name) => 2,
            it if (self.is_inward)(&it.name) => 4,
            _ => 3,
        });
    }
}

/// The address that packets there would have; none is sent.
fn source(from: &str, to: &str) -> Option<IpAddr> {
    let socket = UdpSocket::bind(from).ok()?;
    socket.connect(to).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

fn is_inward(name: &str) -> bool {
    INWARD.iter().any(|prefix| name.starts_with(prefix))
        || std::path::Path::new("/sys/class/net").join(name).join("bridge").exists()
}
