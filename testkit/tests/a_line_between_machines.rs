//! What the network in between does to what machines send, as other scenarios count on it. It takes root and `ip`.
#![cfg(target_os = "linux")]

use std::{
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, anyhow, ensure};
use grtc_testkit::{
    line::{Bottleneck, Line, Way},
    namespace::{Machine, among},
};

const A: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 1);
const B: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 2);
/// Longer than anything here takes.
const WAIT: Duration = Duration::from_secs(10);

fn socket(machine: &Machine, address: Ipv4Addr) -> anyhow::Result<UdpSocket> {
    let socket = machine.within(|| Ok(UdpSocket::bind(SocketAddr::from((address, 4000)))?))?;
    socket.set_read_timeout(Some(WAIT))?;
    Ok(socket)
}

fn send(from: &UdpSocket, to: Ipv4Addr, number: u32) -> anyhow::Result<()> {
    from.send_to(&number.to_be_bytes(), (to, 4000))?;
    Ok(())
}

fn receive(at: &UdpSocket) -> anyhow::Result<u32> {
    let mut number = [0; 4];
    at.recv(&mut number).context("nothing came")?;
    Ok(u32::from_be_bytes(number))
}

/// Two machines, whose sockets have found each other.
fn joined(b: &Machine) -> anyhow::Result<(Line, UdpSocket, UdpSocket)> {
    let here = Machine::here();
    let line = Line::between(&[(&here, A), (b, B)])?;
    let (a, b) = (socket(&here, A)?, socket(b, B)?);
    send(&a, B, 0)?;
    receive(&b)?;
    Ok((line, a, b))
}

#[test]
fn frames_take_their_time_and_a_cut_end_hears_and_says_nothing() -> anyhow::Result<()> {
    among("frames_take_their_time_and_a_cut_end_hears_and_says_nothing", async |[b]| {
        let (line, a, b) = joined(&b)?;
        line.set(0, Way { delay: Duration::from_millis(20), ..Way::default() });
        line.set(1, Way { delay: Duration::from_millis(30), ..Way::default() });
        let mut shortest = WAIT;
        for number in 0..20 {
            let begin = Instant::now();
            send(&a, B, number)?;
            send(&b, A, receive(&b)?)?;
            ensure!(receive(&a)? == number);
            shortest = shortest.min(begin.elapsed());
        }
        println!("there and back: {shortest:?}");
        ensure!((50..60).contains(&shortest.as_millis()), "{shortest:?}");

        line.set_all(Way::default());
        for end in [0, 1] {
            let cut = line.counts(0).cut;
            line.cut(end);
            for number in 100..110 {
                send(&a, B, number)?;
            }
            while line.counts(0).cut < cut + 10 {
                tokio::task::yield_now().await;
            }
            line.mend(end);
            send(&a, B, 110)?;
            ensure!(receive(&b)? == 110, "what was sent to a machine that is cut off is gone");
        }
        Ok(())
    })
}

#[test]
fn a_share_of_frames_is_lost_and_a_bottleneck_drops_what_it_has_no_room_for() -> anyhow::Result<()> {
    among("a_share_of_frames_is_lost_and_a_bottleneck_drops_what_it_has_no_room_for", async |[b]| {
        let (line, a, b) = joined(&b)?;
        line.set(0, Way { loss: 0.2, ..Way::default() });
        for number in 0..1000 {
            send(&a, B, number)?;
        }
        // Loss is of this way alone: what goes the other one says that all of these have passed.
        send(&b, A, 0)?;
        receive(&a)?;
        let lost = line.counts(0).lost;
        println!("{lost} of 1000 were lost");
        ensure!((150..250).contains(&lost), "{lost}");

        let before = line.counts(0).arrived;
        // A frame here has 46 bytes, and one may be on its way already.
        line.set(0, Way { bottleneck: Some(Bottleneck { rate: 4600.0, buffer: 460 }), ..Way::default() });
        for number in 0..100 {
            send(&a, B, number)?;
        }
        while line.counts(0).arrived < before + 10 {
            tokio::task::yield_now().await;
        }
        let counts = line.counts(0);
        ensure!((85..=90).contains(&counts.overflowed), "{counts:?}");
        Ok(())
    })
}

/// Datagrams of a full frame, and how many of them.
const LENGTH: usize = 1472;
const DATAGRAMS: u32 = 400_000;

#[test]
#[ignore = "a figure, for a quiet machine: scripts/test network"]
fn it_carries_a_hundred_megabytes_a_second_at_fifty_milliseconds() -> anyhow::Result<()> {
    among("it_carries_a_hundred_megabytes_a_second_at_fifty_milliseconds", async |[b]| {
        let (line, a, b) = joined(&b)?;
        line.set_all(Way { delay: Duration::from_millis(25), ..Way::default() });
        let Flood { received, sent_in, arrived_in } = flood(&a, &b, 105e6)?;
        let (counts, unread) = (line.counts(0), line.unread(0)?);
        let rate = |time: Duration| counts.bytes as f64 / time.as_secs_f64() / 1e6;
        println!("sent at {:.0} MB/s, came at {:.0} MB/s", rate(sent_in), rate(arrived_in));
        println!("{received} of {DATAGRAMS} received, {counts:?}, {unread} not read");
        // Others may keep the sender from sending and the receiver from its socket, but not the line from its frames.
        ensure!(counts.arrived > DATAGRAMS.into() && unread == 0, "the line lost some");
        ensure!(arrived_in < sent_in + Duration::from_millis(125), "the line was late");
        Ok(())
    })
}

struct Flood {
    received: u32,
    sent_in: Duration,
    arrived_in: Duration,
}

/// Sends at this rate in bytes a second.
fn flood(a: &UdpSocket, b: &UdpSocket, rate: f64) -> anyhow::Result<Flood> {
    socket2::SockRef::from(b).set_recv_buffer_size(4 << 20)?;
    b.set_read_timeout(Some(Duration::from_secs(1)))?;
    let begin = Instant::now();
    thread::scope(|scope| {
        let receiver = scope.spawn(|| {
            let (mut buffer, mut received, mut last) = ([0; LENGTH], 0, begin);
            while received < DATAGRAMS && b.recv(&mut buffer).is_ok() {
                (received, last) = (received + 1, Instant::now());
            }
            (received, last - begin)
        });
        for number in 0..DATAGRAMS {
            let due = begin + Duration::from_secs_f64(f64::from(number) * LENGTH as f64 / rate);
            let early = due.saturating_duration_since(Instant::now());
            if early > Duration::from_micros(200) {
                thread::park_timeout(early);
            }
            a.send_to(&[0; LENGTH], (B, 4000))?;
        }
        let sent_in = begin.elapsed();
        let (received, arrived_in) = receiver.join().map_err(|_| anyhow!("the receiver panicked"))?;
        Ok(Flood { received, sent_in, arrived_in })
    })
}
