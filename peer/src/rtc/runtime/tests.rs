use rtc::ice::mdns::MulticastDnsMode;
use tokio::{net::UdpSocket, sync::mpsc, task::JoinSet};
use webrtc::data_channel::{DataChannel, DataChannelEvent};

use super::*;
use crate::{
    limits::SOCKET_BUFFER_BYTES,
    rtc::{Settings, connection::Connection, handler::Callback},
};

/// Two connected ends, their callbacks, and how long the open took.
struct Pair {
    took: Duration,
    ends: [Connection; 2],
    channel: Arc<dyn DataChannel>,
}

type End<'a> = (&'a mut Connection, mpsc::Receiver<Callback>);

async fn end(runtime: Arc<dyn Runtime>) -> (Connection, mpsc::Receiver<Callback>) {
    let settings = Settings {
        network: crate::Network { interfaces: vec!["lo".to_owned()], no_mdns: true, ..crate::Network::default() },
        ice_servers: vec![],
        socket_buffer: SOCKET_BUFFER_BYTES,
    };
    let (sender, callbacks) = mpsc::channel(256);
    let connection =
        Connection::on(runtime, Arc::default(), &settings, MulticastDnsMode::Disabled, sender).await.unwrap();
    (connection, callbacks)
}

/// The port of the next local candidate on 127.0.0.1.
async fn port(callbacks: &mut mpsc::Receiver<Callback>) -> u16 {
    loop {
        if let Some(Callback::Candidate(Some(candidate))) = callbacks.recv().await
            && candidate.address == "127.0.0.1"
        {
            return candidate.port;
        }
    }
}

/// A candidate of this port on loopback, as a connection takes it.
fn candidate(port: u16) -> String {
    format!("candidate:1 1 udp 2130706431 127.0.0.1 {port} typ host")
}

#[derive(Clone, Copy)]
enum Lost {
    One(usize),
    AllButAlerts,
}

/// Stands between two ports, and loses one of the datagrams that carry a DTLS handshake, or all but alerts. Its own ports,
/// for each side.
async fn losing(ports: [u16; 2], lost: Lost) -> [u16; 2] {
    let sockets = [UdpSocket::bind("127.0.0.1:0").await.unwrap(), UdpSocket::bind("127.0.0.1:0").await.unwrap()];
    let own = [sockets[0].local_addr().unwrap().port(), sockets[1].local_addr().unwrap().port()];
    tokio::spawn(async move {
        let (mut seen, mut buffers) = (0, [[0; 2_048]; 2]);
        let [first, second] = &mut buffers;
        loop {
            let (datagram, to) = tokio::select! {
                length = sockets[0].recv(first) => (&first[..length.unwrap()], 0),
                length = sockets[1].recv(second) => (&second[..length.unwrap()], 1),
            };
            let is_handshake = matches!(datagram.first(), Some(20..=22));
            seen += usize::from(is_handshake);
            let is_lost = match lost {
                Lost::One(number) => is_handshake && seen == number,
                Lost::AllButAlerts => matches!(datagram.first(), Some(20 | 22)),
            };
            if !is_lost {
                sockets[1 - to].send_to(datagram, ("127.0.0.1", ports[to])).await.unwrap();
            }
        }
    });
    own
}

async fn open(runtimes: [Arc<dyn Runtime>; 2], lost: Option<usize>) -> Pair {
    let [first, second] = runtimes;
    let begin = Instant::now();
    let ((mut a, from_a), (mut b, from_b)) = (end(first).await, end(second).await);
    let channel = a.create_channel(crate::channel::Label::Chat).await.unwrap();
    connect((&mut a, from_a), (&mut b, from_b), lost.map(Lost::One)).await;
    while !matches!(channel.poll().await.unwrap(), DataChannelEvent::OnOpen) {}
    Pair { took: begin.elapsed(), ends: [a, b], channel }
}

/// The first one offers, as another kind of peer if all is lost. The callbacks of both.
async fn connect(a: End<'_>, b: End<'_>, lost: Option<Lost>) -> [mpsc::Receiver<Callback>; 2] {
    let ((a, mut from_a), (b, mut from_b)) = (a, b);
    let mut offer = a.create_offer().await.unwrap();
    if let Some(Lost::AllButAlerts) = lost {
        offer = offer.replace("a=grtc-socket-buffer", "a=other");
    }
    a.apply_answer(&b.accept_offer(&offer).await.unwrap()).await.unwrap();
    let mut ports = [port(&mut from_a).await, port(&mut from_b).await];
    if let Some(lost) = lost {
        ports = losing(ports, lost).await;
    }
    b.add_candidate(&candidate(ports[0])).await;
    a.add_candidate(&candidate(ports[1])).await;
    [from_a, from_b]
}

/// The median of some opens.
async fn median(runtimes: impl Fn() -> [Arc<dyn Runtime>; 2]) -> Duration {
    let mut times = Vec::new();
    for _ in 0..9 {
        let pair = open(runtimes(), None).await;
        times.push(pair.took);
        for end in pair.ends {
            end.close().await;
        }
    }
    times.sort();
    times[4]
}

#[tokio::test(flavor = "multi_thread")]
async fn it_makes_an_open_several_times_faster() {
    let plain = median(|| [Arc::new(TokioRuntime), Arc::new(TokioRuntime)]).await;
    let kicked =
        median(|| [Arc::new(KickRuntime::new(SOCKET_BUFFER_BYTES)), Arc::new(KickRuntime::new(SOCKET_BUFFER_BYTES))])
            .await;
    println!("plain {plain:?}, kicked {kicked:?}");
    assert!(kicked * 3 < plain, "the wrapper is useless by now: {kicked:?} with it, {plain:?} without");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_an_idle_connection_quiet() {
    let runtimes = [Arc::new(KickRuntime::new(SOCKET_BUFFER_BYTES)), Arc::new(KickRuntime::new(SOCKET_BUFFER_BYTES))];
    let pair = open([Arc::clone(&runtimes[0]) as _, Arc::clone(&runtimes[1]) as _], None).await;
    let sleeps = || runtimes.iter().map(|runtime| runtime.sleeps.load(Ordering::Relaxed)).sum::<usize>();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = sleeps();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let passes = sleeps() - before;
    println!("{passes} passes of two idle drivers in 2 s");
    assert!(passes < 400, "the wrapper keeps the driver spinning: {passes} passes");
    drop(pair.channel);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_gets_over_each_lost_flight() {
    let mut opens = JoinSet::new();
    for lost in 1..=6 {
        opens.spawn(async move {
            let runtimes: [Arc<dyn Runtime>; 2] =
                [Arc::new(KickRuntime::new(SOCKET_BUFFER_BYTES)), Arc::new(KickRuntime::new(SOCKET_BUFFER_BYTES))];
            let pair = tokio::time::timeout(Duration::from_secs(20), open(runtimes, Some(lost))).await;
            pair.map_or_else(|_| panic!("hangs without flight {lost}"), |pair| (lost, pair.took))
        });
    }
    println!("{:?}", opens.join_all().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renegotiation_by_who_answered_keeps_the_dtls_roles() {
    let runtimes: [Arc<dyn Runtime>; 2] =
        [Arc::new(KickRuntime::new(SOCKET_BUFFER_BYTES)), Arc::new(KickRuntime::new(SOCKET_BUFFER_BYTES))];
    let Pair { ends: [mut a, mut b], channel, .. } = open(runtimes, None).await;
    // `b` answered `active`: a new offer that leaves the choice gets the role that `a` has.
    let offer = b.create_offer().await.unwrap();
    let offer = offer.replace("a=setup:active", "a=setup:actpass").replace("a=setup:passive", "a=setup:actpass");
    let answer = a.accept_offer(&offer).await.unwrap();
    assert!(answer.contains("a=setup:passive\r\n"), "{answer}");
    b.apply_answer(&answer).await.unwrap();
    channel.send_text("still there").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_is_given_up_secures_nothing() {
    let (mut a, from_a) = end(Arc::new(KickRuntime::new(SOCKET_BUFFER_BYTES))).await;
    let (mut b, from_b) = end(Arc::new(KickRuntime::new(SOCKET_BUFFER_BYTES))).await;
    let _channel = a.create_channel(crate::channel::Label::Chat).await.unwrap();
    let [mut from_a, mut from_b] = connect((&mut a, from_a), (&mut b, from_b), Some(Lost::AllButAlerts)).await;
    while !matches!(from_a.recv().await.unwrap(), Callback::IceConnected) {}
    a.close().await;
    // The library calls it that: where it does not any more, `is_secured` can go.
    while !matches!(from_b.recv().await.unwrap(), Callback::Connected) {}
    assert!(!b.is_secured().await);
}
