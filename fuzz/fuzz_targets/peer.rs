//! A whole peer. Whatever its server and the others send (a frame a line), it goes on, and ends when it is told.
#![no_main]

use std::{
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use grtc_peer::{Config, Incoming, Join, LinkEnds, LinkError, Network, Peer, SignalLink};
use libfuzzer_sys::fuzz_target;
use tokio::{runtime::Runtime, sync::mpsc, time::timeout};

/// Frames of an input at most.
const FRAMES: usize = 64;
/// A peer that sends nothing for this long has done what it does.
const QUIET: Duration = Duration::from_millis(5);
/// Far more than an end takes.
const PATIENCE: Duration = Duration::from_secs(20);

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

struct Link(Mutex<Option<LinkEnds>>);

#[async_trait]
impl SignalLink for Link {
    async fn open(&self, _: &Join) -> Result<LinkEnds, LinkError> {
        self.0.lock().expect("it is used once").take().ok_or(LinkError::Closed { code: 4403, message: String::new() })
    }
}

fuzz_target!(|text: &str| {
    RUNTIME.block_on(async {
        let (outgoing, mut sent) = mpsc::channel(256);
        let (server, incoming) = mpsc::channel(256);
        let frame = |text: &str| server.try_send(Incoming::Text(text.to_owned())).expect("there is room");
        frame(r#"{"type":"room_state","peers":["b"],"your_peer_id":"a"}"#);
        text.lines().take(FRAMES).for_each(frame);
        let mut network = Network::default();
        (network.interfaces, network.no_mdns) = (vec!["lo".to_owned()], true);
        let config = Config::new("ws://127.0.0.1:1".parse().expect("a URL"), "r".parse().expect("a name"));
        let link = Arc::new(Link(Mutex::new(Some(LinkEnds { outgoing, incoming }))));
        let (_peer, mut events) = Peer::join_over(config.with_network(network), link).await.expect("it joins");
        while let Ok(Some(_)) = timeout(QUIET, sent.recv()).await {}
        let _ = server.try_send(Incoming::End(LinkError::Closed { code: 1000, message: String::new() }));
        timeout(PATIENCE, async { while events.next().await.is_some() {} }).await.expect("it ends");
    });
});
