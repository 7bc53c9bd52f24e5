//! A router that hides a machine behind its own address, as those at home do, and forgets whose packets are whose.

use std::{fs, net::Ipv4Addr};

use crate::namespace::{Machine, ip, run};

const INSIDE: Ipv4Addr = Ipv4Addr::new(192, 168, 7, 2);
const ROUTER: Ipv4Addr = Ipv4Addr::new(192, 168, 7, 1);
/// Ports outside that are used at a time.
const PORTS: u16 = 1000;

/// The router. Packets of one port inside come from one port outside, whoever they go to; what nobody inside has asked for is
/// dropped.
#[derive(Debug)]
pub struct Nat {
    router: Machine,
    /// The first of the ports outside, for UDP and for TCP.
    first: [u16; 2],
}

/// What a router forgets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Forgets {
    /// Whose UDP is whose: the next packet from inside comes from another port.
    Udp,
    /// TCP too, of which it then passes nothing but new connections.
    All,
}

const PROTOCOLS: [&str; 2] = ["udp", "tcp"];

impl Nat {
    /// Puts a router, which has the interface `line` already, in front of a machine.
    ///
    /// # Errors
    /// When `ip` or `iptables` refuses.
    pub fn in_front_of(inside: &Machine, router: &Machine) -> anyhow::Result<Self> {
        ip("link add lan type veth peer name behind")?;
        router.give("lan", "lan")?;
        inside.give("behind", "lan")?;
        for (machine, address) in [(router, ROUTER), (inside, INSIDE)] {
            machine.ip(&format!("addr add {address}/24 dev lan"))?;
            machine.ip("link set lan up")?;
        }
        inside.ip(&format!("route add default via {ROUTER}"))?;
        let nat = Self { router: router.clone(), first: [20_000, 30_000] };
        for rule in [
            "-A INPUT -i line -j DROP",
            "-A FORWARD -m conntrack --ctstate INVALID -j DROP",
            "-A FORWARD -i line -m conntrack --ctstate NEW -j DROP",
        ] {
            nat.table(rule)?;
        }
        for (protocol, first) in PROTOCOLS.iter().zip(nat.first) {
            nat.hide("-A", protocol, first)?;
        }
        router.within(|| {
            fs::write("/proc/sys/net/ipv4/ip_forward", "1")?;
            // Else it would guess whose a TCP connection is that it knows nothing of.
            Ok(fs::write("/proc/sys/net/netfilter/nf_conntrack_tcp_loose", "0")?)
        })?;
        Ok(nat)
    }

    /// Forgets whose packets are whose. Those that go out from now on come from other ports than before.
    ///
    /// # Errors
    /// When `iptables` or `conntrack` refuses, or there was nothing to forget.
    pub fn forget(&mut self, what: Forgets) -> anyhow::Result<()> {
        let kinds = if what == Forgets::Udp { 1 } else { PROTOCOLS.len() };
        for (kind, protocol) in PROTOCOLS.iter().enumerate().take(kinds) {
            let before = self.first[kind];
            self.first[kind] += PORTS;
            self.hide("-A", protocol, self.first[kind])?;
            self.hide("-D", protocol, before)?;
            run(self.router.exec("conntrack").args(["-D", "-p", protocol]))?;
        }
        Ok(())
    }

    /// Adds or deletes the rule for packets that go out.
    fn hide(&self, verb: &str, protocol: &str, first: u16) -> anyhow::Result<()> {
        let ports = format!("{first}-{}", first + PORTS - 1);
        self.table(&format!("-t nat {verb} POSTROUTING -o line -p {protocol} -j MASQUERADE --to-ports {ports}"))
    }

    fn table(&self, words: &str) -> anyhow::Result<()> {
        run(self.router.exec("iptables").args(words.split(' '))).map(drop)
    }
}
