use std::sync::atomic::AtomicUsize;

use super::*;

/// Keeps what is sent, as far as it takes it.
#[derive(Debug, Default)]
struct Kept {
    sent: Mutex<Vec<Vec<usize>>>,
    takes: AtomicUsize,
}

impl AsyncUdpSocket for Kept {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(NOBODY)
    }

    fn poll_send(&self, _: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        if self.takes.load(Ordering::Relaxed) == 0 {
            return Poll::Pending;
        }
        self.takes.fetch_sub(1, Ordering::Relaxed);
        let datagrams = transmit.contents.chunks(transmit.segment_size.unwrap_or(usize::MAX));
        self.sent.lock().unwrap().push(datagrams.map(<[u8]>::len).collect());
        Poll::Ready(Ok(transmit.contents.len()))
    }

    fn poll_recv(&self, _: &mut Context<'_>, _: &mut [IoSliceMut<'_>], _: &mut [RecvMeta]) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn max_gso_segments(&self) -> usize {
        64
    }

    fn max_gro_segments(&self) -> usize {
        1
    }
}

fn socket(takes: usize) -> (Arc<Kept>, Socket) {
    let kept = Arc::new(Kept { takes: AtomicUsize::new(takes), ..Kept::default() });
    (Arc::clone(&kept), Socket::new(kept, Arc::default()))
}

fn context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

fn send(socket: &Socket, first: u8, length: usize) -> bool {
    let contents = [vec![first], vec![0; length - 1]].concat();
    let transmit = Transmit { destination: NOBODY, ecn: None, contents: &contents, segment_size: None, src_ip: None };
    socket.poll_send(&mut context(), &transmit).is_ready()
}

#[test]
fn data_waits_for_the_end_of_a_pass_and_the_rest_goes_at_once() {
    let (kept, socket) = socket(usize::MAX);
    for length in [1_200, 1_200, 300] {
        assert!(send(&socket, APPLICATION_DATA, length));
    }
    assert!(send(&socket, 0, 100));
    assert_eq!(*kept.sent.lock().unwrap(), [[100]]);
    socket.flush(&mut context(), 0);
    assert_eq!(*kept.sent.lock().unwrap(), [vec![100], vec![1_200, 1_200, 300]]);
}

#[test]
fn the_handshake_and_the_first_data_go_twice() {
    let (kept, socket) = socket(usize::MAX);
    assert!(send(&socket, 22, 400));
    assert_eq!(std::mem::take(&mut *kept.sent.lock().unwrap()), [[400]], "not everybody takes that");
    socket.repeat();
    assert!(send(&socket, 22, 500) && send(&socket, 20, 60) && send(&socket, 0, 100));
    assert_eq!(*kept.sent.lock().unwrap(), [[500], [500], [60], [60], [100]], "checks of ICE are repeated as it is");
    kept.sent.lock().unwrap().clear();
    for length in 100..110 {
        assert!(send(&socket, APPLICATION_DATA, length));
        socket.flush(&mut context(), 0);
    }
    let sent: Vec<usize> = kept.sent.lock().unwrap().iter().flatten().copied().collect();
    let twice = (100..100 + TWICE).flat_map(|length| [length, length]);
    assert_eq!(sent, twice.chain(100 + TWICE..110).collect::<Vec<_>>());
}

#[test]
fn the_end_of_a_connection_comes_after_its_data() {
    let (kept, socket) = socket(usize::MAX);
    assert!(send(&socket, APPLICATION_DATA, 1_200) && send(&socket, ALERT, 40));
    assert!(send(&socket, APPLICATION_DATA, 1_000));
    drop(socket);
    assert_eq!(*kept.sent.lock().unwrap(), [[1_200], [40], [1_000]]);
}

#[test]
fn a_full_socket_loses_nothing_and_holds_up_who_sends_on() {
    let (kept, socket) = socket(0);
    let mut taken = 0;
    while send(&socket, APPLICATION_DATA, 1_200) {
        taken += 1;
    }
    assert!((WAITING_BYTES / 1_200..=WAITING_BYTES / 1_200 + 2).contains(&taken), "{taken} were taken");
    kept.takes.store(usize::MAX, Ordering::Relaxed);
    assert!(send(&socket, APPLICATION_DATA, 1_200));
    socket.flush(&mut context(), 0);
    assert_eq!(kept.sent.lock().unwrap().iter().map(Vec::len).sum::<usize>(), taken + 1);
}

#[test]
fn a_pace_is_kept_and_says_when_to_go_on() {
    let (kept, socket) = socket(usize::MAX);
    for _ in 0..100 {
        send(&socket, APPLICATION_DATA, 1_200);
    }
    let begin = Instant::now();
    let at = socket.flush(&mut context(), 12_000).unwrap();
    assert!(at > begin);
    let sent = kept.sent.lock().unwrap().iter().flatten().sum::<usize>();
    assert!(sent < 60_000, "{sent} bytes at once");
}

#[test]
fn a_kick_is_read_once() {
    let (_, socket) = socket(0);
    let (mut buffer, mut meta) = ([0; 64], [RecvMeta::default()]);
    let mut read = || {
        let read = socket.poll_recv(&mut context(), &mut [IoSliceMut::new(&mut buffer)], &mut meta);
        read.is_ready().then(|| buffer[..meta[0].len].to_vec())
    };
    assert_eq!(read(), None);
    socket.kick();
    assert_eq!(read().as_deref(), Some(&UNHEARD_RECORD[..]));
    assert_eq!(read(), None);
}
