//! Joins a room, greets everybody, and answers each message, until Ctrl-C.
//!
//! `cargo run -p grtc-peer --example chat -- lobby ws://127.0.0.1:8001`

use grtc_peer::{Config, Event, Peer};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let room = arguments.next().unwrap_or_else(|| "lobby".to_owned()).parse()?;
    let server = arguments.next().unwrap_or_else(|| "ws://127.0.0.1:8001".to_owned()).parse()?;

    let (peer, mut events) = Peer::join(Config::new(server, room)).await?;
    println!("{} is in {}", peer.id(), peer.room());
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => break,
            event = events.next() => match event {
                Some(Event::Connected { peer_id, timings, .. }) => {
                    println!("connected to {peer_id} in {} ms", timings.total);
                    peer.send(&peer_id, "hello").await?;
                }
                Some(Event::Message { from, payload, .. }) => {
                    // What another peer sends is not to be trusted: Debug escapes it.
                    println!("{from} says {payload:?}");
                    if payload.as_text().is_some_and(|text| text != "hello" && !text.starts_with("you said")) {
                        peer.send(&from, format!("you said {} bytes", payload.len())).await?;
                    }
                }
                Some(event) => println!("{event:?}"),
                None => break,
            }
        }
    }
    // Tells the server, lets what was sent arrive, closes every channel.
    peer.leave().await;
    Ok(())
}
