//! str0m as a peer of docs/PROTOCOL.md: the twin of `peer.mjs`.

use std::{collections::HashMap, net::SocketAddr, time::Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use str0m::{
    Candidate, Event, Input, Output, Rtc,
    change::{SdpAnswer, SdpOffer, SdpPendingOffer},
    channel::ChannelId,
    net::{Protocol, Receive},
};
use tokio::{net::UdpSocket, time::sleep_until};
use tokio_tungstenite::{connect_async, tungstenite::Message};

type Failure = Box<dyn std::error::Error>;

/// One remote peer: descriptions and candidates in, lines out.
struct Pair {
    id: String,
    lines: usize,
    again: String,
    local: SocketAddr,
    peer: String,
    rtc: Rtc,
    attempt: Value,
    pending: Option<SdpPendingOffer>,
    channel: Option<ChannelId>,
    said: usize,
    heard: usize,
    left: bool,
    out: Vec<Value>,
}

impl Pair {
    fn new(options: &HashMap<String, String>, local: SocketAddr) -> Result<Self, Failure> {
        Ok(Self {
            id: options["--id"].clone(),
            lines: options["--lines"].parse()?,
            again: options["--again"].clone(),
            local,
            peer: String::new(),
            rtc: fresh(local)?,
            attempt: Value::Null,
            pending: None,
            channel: None,
            said: 0,
            heard: 0,
            left: false,
            out: Vec::new(),
        })
    }

    fn frame(&mut self, frame: &Value) -> Result<(), Failure> {
        match frame["type"].as_str() {
            Some("room_state") => {
                println!("joined");
                if let Some(peer) = frame["peers"][0].as_str() {
                    (self.peer, self.attempt) = (peer.to_owned(), format!("{}-1", self.id).into());
                    self.offer(false);
                }
            }
            Some("peer_left") => self.left = true,
            Some("webrtc_signal") => {
                self.peer = frame["from_peer_id"].as_str().unwrap_or_default().to_owned();
                self.signal(&frame["signal"])?;
            }
            _ => {}
        }
        Ok(())
    }

    /// An offer of a channel; on an open connection a restart of ICE.
    fn offer(&mut self, restart: bool) {
        let mut change = self.rtc.sdp_api();
        if restart {
            change.ice_restart(true);
        } else {
            change.add_channel("chat".to_owned());
        }
        if let Some((offer, pending)) = change.apply() {
            self.pending = Some(pending);
            let offer = json!({ "type": "offer", "sdp": offer.to_sdp_string() });
            self.send(json!({ "type": "offer", "offer": offer }));
        }
    }

    fn signal(&mut self, signal: &Value) -> Result<(), Failure> {
        let same = signal["attempt"] == self.attempt;
        match signal["type"].as_str() {
            Some("offer") => {
                if !same {
                    (self.rtc, self.attempt) = (fresh(self.local)?, signal["attempt"].clone());
                }
                let offer = SdpOffer::from_sdp_string(signal["offer"]["sdp"].as_str().unwrap_or_default())?;
                let answer = self.rtc.sdp_api().accept_offer(offer)?;
                let answer = json!({ "type": "answer", "sdp": answer.to_sdp_string() });
                self.send(json!({ "type": "answer", "answer": answer }));
            }
            Some("answer") if same => {
                let answer = SdpAnswer::from_sdp_string(signal["answer"]["sdp"].as_str().unwrap_or_default())?;
                if let Some(pending) = self.pending.take() {
                    self.rtc.sdp_api().accept_answer(pending, answer)?;
                }
                if self.channel.is_some() {
                    println!("answered again");
                    self.say(self.lines)?;
                }
            }
            // Names of a local network are not looked up here.
            Some("ice_candidate") if same || signal["attempt"].is_null() => {
                let candidate = signal["candidate"]["candidate"].as_str().unwrap_or_default();
                if let Ok(candidate) = Candidate::from_sdp_string(candidate) {
                    self.rtc.add_remote_candidate(candidate);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn event(&mut self, event: Event) -> Result<(), Failure> {
        match event {
            Event::ChannelOpen(channel, _) if self.channel.is_none() => {
                self.channel = Some(channel);
                println!("open");
                self.say(if self.again == "no" { self.lines } else { self.lines / 3 })?;
            }
            Event::ChannelData(data) => {
                println!("{}", String::from_utf8_lossy(&data.data));
                self.heard += 1;
                if self.heard == 1 && self.again != "no" {
                    self.offer(true);
                    println!("offered again");
                    self.say(2 * self.lines / 3)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn say(&mut self, until: usize) -> Result<(), Failure> {
        while self.said < until {
            self.said += 1;
            let mut channel =
                self.channel.and_then(|channel| self.rtc.channel(channel)).ok_or("the channel is gone")?;
            if !channel.write(false, format!("{} {}", self.id, self.said).as_bytes())? {
                return Err("the channel takes no line".into());
            }
        }
        Ok(())
    }

    fn send(&mut self, mut signal: Value) {
        signal["target_peer_id"] = self.peer.clone().into();
        if !self.attempt.is_null() {
            signal["attempt"] = self.attempt.clone();
        }
        self.out.push(signal);
    }

    /// The other side leaves once it has heard all and all that it said is delivered.
    fn is_over(&self) -> bool {
        self.left && self.said >= self.lines && self.heard >= self.lines
    }
}

fn fresh(local: SocketAddr) -> Result<Rtc, Failure> {
    let mut rtc = Rtc::builder().build(Instant::now());
    rtc.add_local_candidate(Candidate::host(local, "udp")?);
    Ok(rtc)
}

/// The address by which this machine goes out, or loopback if it does not.
async fn socket() -> Result<UdpSocket, Failure> {
    let probe = UdpSocket::bind("0.0.0.0:0").await?;
    let local = match probe.connect("192.0.2.1:9").await {
        Ok(()) => probe.local_addr()?.ip(),
        Err(_) => [127, 0, 0, 1].into(),
    };
    Ok(UdpSocket::bind((local, 0)).await?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    str0m::crypto::from_feature_flags().install_process_default();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let options: HashMap<_, _> = arguments.chunks_exact(2).map(|two| (two[0].clone(), two[1].clone())).collect();
    let url = format!("{}/ws/{}?peer_id={}", options["--server"], options["--room"], options["--id"]);
    let (mut link, _) = connect_async(url).await?;
    let socket = socket().await?;
    let mut pair = Pair::new(&options, socket.local_addr()?)?;
    let mut datagram = vec![0; 2_000];
    while !pair.is_over() {
        let until = loop {
            match pair.rtc.poll_output()? {
                Output::Timeout(until) => break until,
                Output::Transmit(transmit) => drop(socket.send_to(&transmit.contents, transmit.destination).await?),
                Output::Event(event) => pair.event(event)?,
            }
        };
        for signal in std::mem::take(&mut pair.out) {
            link.send(Message::text(signal.to_string())).await?;
        }
        tokio::select! {
            frame = link.next() => match frame.ok_or("the server has closed")?? {
                Message::Text(text) => pair.frame(&serde_json::from_str(&text)?)?,
                _ => {}
            },
            received = socket.recv_from(&mut datagram) => {
                let (length, source) = received?;
                if let Ok(contents) = datagram[..length].try_into() {
                    let receive = Receive { proto: Protocol::Udp, source, destination: pair.local, contents };
                    pair.rtc.handle_input(Input::Receive(Instant::now(), receive))?;
                }
            }
            () = sleep_until(until.into()) => pair.rtc.handle_input(Input::Timeout(Instant::now()))?,
        }
    }
    Ok(())
}
