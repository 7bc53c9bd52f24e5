//! The address of one of the two is replaced, as when a laptop changes its network. Nobody says so to what is open.

use std::{net::Ipv4Addr, time::Duration};

use grtc_testkit::namespace::Machine;

use crate::common::pause;

/// No longer than this until the conversation goes on.
const WITHIN: Duration = Duration::from_secs(5);
const ANOTHER: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 77);

#[test]
fn of_who_offered() -> anyhow::Result<()> {
    // B came later: it made the offer.
    replaced("a_new_address_is_a_pause::of_who_offered", |[_, b]| b)
}

#[test]
fn of_who_answered() -> anyhow::Result<()> {
    replaced("a_new_address_is_a_pause::of_who_answered", |[a, _]| a)
}

fn replaced(test: &str, whose: fn(&[Machine; 2]) -> &Machine) -> anyhow::Result<()> {
    pause(test, WITHIN, async |_, machines, _| {
        let moving = whose(machines);
        moving.ip("addr flush dev line")?;
        moving.ip(&format!("addr add {ANOTHER}/24 dev line"))?;
        moving.ip("route add default dev line")
    })
}
