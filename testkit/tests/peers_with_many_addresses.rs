//! Peers on two machines with a cable between them: one machine gets another address, or has very many of them. It takes root,
//! `ip` and `ss`.
#![cfg(target_os = "linux")]

use std::{
    net::{Ipv4Addr, SocketAddr},
    process::Stdio,
};

use anyhow::ensure;
use grtc_testkit::{
    PeerProcess, TestServer,
    namespace::{Machines, between_two, ip},
};

/// A server that both machines reach.
async fn server() -> anyhow::Result<TestServer> {
    let listen = SocketAddr::from((Machines::HERE, 0));
    TestServer::start_with(|config| (config.listen, config.insecure_open) = (listen, true)).await
}

/// `B` on the other machine.
fn join_there(machines: &Machines, server: &TestServer, arguments: &[&str]) -> PeerProcess {
    let url = server.url("");
    let join = ["join", "r", "--id", "B", "--server", &url, "--json"];
    PeerProcess::start_as(&machines.there(), &[&join, arguments].concat(), Stdio::piped())
}

#[test]
fn a_peer_that_gets_another_address_comes_back() -> anyhow::Result<()> {
    between_two("a_peer_that_gets_another_address_comes_back", async |machines| {
        machines.plug_in()?;
        let server = server().await?;
        let mut a = PeerProcess::join(&server, "r", "A", &["--json"]);
        a.event("joined").await;
        let mut b = join_there(&machines, &server, &[]);
        for address in [Machines::THERE, Ipv4Addr::new(10, 9, 0, 3)] {
            let open = if address == Machines::THERE { "connected" } else { "recovered" };
            if address != Machines::THERE {
                machines.move_to(address)?;
                b.event("joined").await;
            }
            let (a_pair, b_pair) = (a.event(open).await, b.event(open).await);
            println!("{address}: {a_pair} {b_pair}");
            a.type_line("to B").await;
            b.type_line("to A").await;
            let texts = (a.event("message").await["text"].take(), b.event("message").await["text"].take());
            ensure!(texts == ("to A".into(), "to B".into()), "{texts:?}");
        }
        Ok(())
    })
}

#[test]
fn the_way_out_is_used_beside_twenty_bridges() -> anyhow::Result<()> {
    between_two("the_way_out_is_used_beside_twenty_bridges", async |machines| {
        for bridge in 1..=20 {
            ip(&format!("link add br-{bridge} type bridge"))?;
            ip(&format!("link add port-{bridge} type veth peer name box-{bridge}"))?;
            ip(&format!("link set port-{bridge} master br-{bridge} up"))?;
            ip(&format!("link set box-{bridge} up"))?;
            ip(&format!("addr add 172.20.{bridge}.1/24 dev br-{bridge}"))?;
            ip(&format!("link set br-{bridge} up"))?;
        }
        // The interface that leads out is the last.
        machines.plug_in()?;
        let server = server().await?;
        let mut b = join_there(&machines, &server, &["--expect-peers", "1"]);
        b.event("joined").await;
        let a = PeerProcess::join(&server, "r", "A", &["--expect-peers", "1", "--json"]);
        let (a, b) = (a.end().await, b.end().await);
        ensure!((a.code, b.code) == (Some(0), Some(0)), "{:#?}{}{:#?}{}", a.lines, a.stderr, b.lines, b.stderr);
        let connecting = a.events().iter().filter(|event| event["event"] == "connecting").count();
        ensure!(connecting == 1, "it opened at once: {:#?}", a.lines);
        let said = a.stderr.lines().find(|line| line.contains("no connection is tried on")).unwrap_or_default();
        println!("{said}");
        let left_out: Vec<&str> = said.split(" (br-").skip(1).collect();
        ensure!(left_out.len() == 5, "the other five of 21 are named: {}", a.stderr);
        ensure!(!said.contains("cable"), "{said}");
        Ok(())
    })
}
