//! Chromium and a native peer: what can be done to a browser's network is done to its machine's.

use std::{fs::File, net::Ipv4Addr, path::Path, time::Duration};

use anyhow::{Context, ensure};
use grtc_testkit::{
    PeerProcess,
    conversation::Conversation,
    namespace::{Machine, among},
};

use crate::common::{B, END_B, Network, path};

const WITHIN: Duration = Duration::from_secs(15);
const ANOTHER: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 77);

#[test]
#[ignore = "it takes Chromium and most of a minute: scripts/test network"]
fn its_interface_is_down_for_twenty_seconds() -> anyhow::Result<()> {
    broken("a_browser_loses_its_network::its_interface_is_down_for_twenty_seconds", async |_, machine, talk| {
        machine.ip("link set line down")?;
        talk.go_on(Duration::from_secs(20)).await?;
        machine.ip("link set line up")?;
        machine.ip("route add default dev line")
    })
}

#[test]
#[ignore = "it takes Chromium and a minute: scripts/test network"]
fn its_cable_is_out_for_forty_seconds() -> anyhow::Result<()> {
    broken("a_browser_loses_its_network::its_cable_is_out_for_forty_seconds", async |network, _, talk| {
        network.line.cut(END_B);
        talk.go_on(Duration::from_secs(40)).await?;
        network.line.mend(END_B);
        Ok(())
    })
}

#[test]
#[ignore = "it takes Chromium: scripts/test network"]
fn its_address_is_replaced() -> anyhow::Result<()> {
    broken("a_browser_loses_its_network::its_address_is_replaced", async |_, machine, _| {
        machine.ip(&format!("addr del {B}/24 dev line"))?;
        machine.ip(&format!("addr add {ANOTHER}/24 dev line"))?;
        machine.ip("route replace default dev line")
    })
}

/// Breaks the network of the browser's machine while both talk, and mends it.
fn broken(
    test: &str,
    breaks: impl AsyncFnOnce(&Network, &Machine, &mut Conversation) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    among(test, async |[a, b]| {
        Network::of(&a, &b)
            .await?
            .watch(async |network| {
                network.line.set_all(path(Duration::from_millis(20), 0.0));
                let mut native = network.peer(&a, "r", "A")?;
                native.event("joined").await;
                let talk = Conversation::between(native, browser(network, &b)?).await?;
                network.interrupted(talk, WITHIN, async |network, talk| breaks(network, &b, talk).await).await
            })
            .await
    })
}

/// `B` in a browser on this machine.
fn browser(network: &Network, machine: &Machine) -> anyhow::Result<PeerProcess> {
    // An address of IPv6 comes by itself a second after the interface is up, and a browser begins all that it loads anew for it.
    let without_ipv6 = machine.exec("sysctl").args(["-q", "net.ipv6.conf.all.disable_ipv6=1"]).status()?;
    ensure!(without_ipv6.success(), "IPv6 can't be switched off");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/test/peer-in-chromium.mjs");
    let script = script.to_str().context("a path without UTF-8")?;
    let url = network.server.url("");
    Network::start(machine, ["node", script, &url, "r", "B"], File::create(network.log("B"))?)
}
