//! How much is answered to those who have not shown who they are: their address may be somebody else's, who would get it all.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
};

/// Answers between two times that it is forgotten, to one network.
const ANSWERS: u32 = 1_000;
/// Networks that are told apart; the others are one.
const NETWORKS: usize = 16 * 1024;

#[derive(Debug, Default)]
pub(super) struct Networks(HashMap<u64, u32>);

impl Networks {
    /// Counts an answer, if there may be one more.
    pub(super) fn take(&mut self, address: IpAddr) -> bool {
        let network = network(address);
        let is_full = self.0.len() >= NETWORKS && !self.0.contains_key(&network);
        let answers = self.0.entry(if is_full { u64::MAX } else { network }).or_default();
        *answers += 1;
        *answers <= ANSWERS
    }

    pub(super) fn forget(&mut self) {
        if !self.0.is_empty() {
            self.0 = HashMap::new();
        }
    }
}

/// The /24 of IPv4, and the /48 of IPv6.
fn network(address: IpAddr) -> u64 {
    match address {
        IpAddr::V4(ip) => u64::from(u32::from(ip) >> 8),
        IpAddr::V6(ip) => 1 << 48 | (ip.to_bits() >> (Ipv6Addr::BITS - 48)) as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_gets_so_many_answers_and_another_its_own() {
        let mut networks = Networks::default();
        let answered = |networks: &mut Networks, address: &str| networks.take(address.parse().unwrap());
        assert!((0..ANSWERS).all(|_| answered(&mut networks, "192.0.2.1")));
        assert!(!answered(&mut networks, "192.0.2.77") && answered(&mut networks, "192.0.3.1"));
        assert!((0..ANSWERS).all(|_| answered(&mut networks, "2001:db8::1")));
        assert!(!answered(&mut networks, "2001:db8:0:9::1") && answered(&mut networks, "2001:db8:1::1"));
        networks.forget();
        assert!(answered(&mut networks, "192.0.2.1"));
    }

    #[test]
    fn many_networks_take_no_more_memory() {
        let mut networks = Networks::default();
        for network in 0..2 * NETWORKS as u32 {
            networks.take(IpAddr::V4((network << 8).into()));
        }
        assert!(networks.0.len() <= NETWORKS + 1 && !networks.take("198.51.100.1".parse().unwrap()));
    }
}
