use rtc::ice::mdns::MulticastDnsMode;
use tokio::sync::mpsc;
use webrtc::data_channel::{DataChannel, DataChannelEvent};

use super::*;
use crate::rtc::{Settings, connection::Connection, handler::Callback};

/// Two connected ends, their callbacks, and how long the open took.
struct Pair {
    took: Duration,
    ends: [Connection; 2],
    channel: Arc<dyn DataChannel>,
}

async fn end(runtime: Arc<dyn Runtime>) -> (Connection, mpsc::Receiver<Callback>) {
    let settings = Settings {
        addresses: vec![SocketAddr::from(([127, 0, 0, 1], 0))],
        advertised: vec![],
        ice_servers: vec![],
        relay_only: false,
        resolve_mdns: false,
    };
    let (sender, callbacks) = mpsc::channel(256);
    let connection = Connection::on(runtime, &settings, MulticastDnsMode::Disabled, sender).await.unwrap();
    (connection, callbacks)
}

/// The next local candidate, as the other side takes it.
async fn candidate(callbacks: &mut mpsc::Receiver<Callback>) -> grtc_protocol::signal::IceCandidate {
    loop {
        if let Some(Callback::Candidate(Some(candidate))) = callbacks.recv().await {
            let json = candidate.to_json().unwrap();
            let (candidate, sdp_m_line_index) = (json.candidate, Some(0));
            return grtc_protocol::signal::IceCandidate { candidate, sdp_m_line_index, ..Default::default() };
        }
    }
}

async fn open(runtimes: [Arc<dyn Runtime>; 2]) -> Pair {
    let [first, second] = runtimes;
    let begin = Instant::now();
    let ((a, mut from_a), (b, mut from_b)) = (end(first).await, end(second).await);
    let channel = a.create_channel().await.unwrap();
    let answer = b.accept_offer(a.create_offer().await.unwrap()).await.unwrap();
    a.apply_answer(answer).await.unwrap();
    b.add_candidate(candidate(&mut from_a).await).await.unwrap();
    a.add_candidate(candidate(&mut from_b).await).await.unwrap();
    while !matches!(channel.poll().await.unwrap(), DataChannelEvent::OnOpen) {}
    Pair { took: begin.elapsed(), ends: [a, b], channel }
}

/// The median of some opens.
async fn median(runtimes: impl Fn() -> [Arc<dyn Runtime>; 2]) -> Duration {
    let mut times = Vec::new();
    for _ in 0..9 {
        let pair = open(runtimes()).await;
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
    let kicked = median(|| [Arc::new(KickRuntime::new()), Arc::new(KickRuntime::new())]).await;
    println!("plain {plain:?}, kicked {kicked:?}");
    assert!(kicked * 3 < plain, "the wrapper is useless by now: {kicked:?} with it, {plain:?} without");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_an_idle_connection_quiet() {
    let runtimes = [Arc::new(KickRuntime::new()), Arc::new(KickRuntime::new())];
    let pair = open([Arc::clone(&runtimes[0]) as _, Arc::clone(&runtimes[1]) as _]).await;
    let sleeps = || runtimes.iter().map(|runtime| runtime.sleeps.load(Ordering::Relaxed)).sum::<usize>();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = sleeps();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let passes = sleeps() - before;
    println!("{passes} passes of two idle drivers in 2 s");
    assert!(passes < 400, "the wrapper keeps the driver spinning: {passes} passes");
    drop(pair.channel);
}
