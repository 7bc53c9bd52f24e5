use super::*;

const MS: Duration = Duration::from_millis(1);
const MESSAGE: usize = 16 * 1024;
const MOST: usize = 4 * 1024 * 1024;

/// A path with a queue, an association that begins slowly, and a sender that always has something to send.
struct Path {
    /// Bytes in a second.
    rate: f64,
    round_trip: Duration,
    most: usize,
    /// Of each 100 ms, how long the sender has to wait for a processor.
    away: Duration,
    begin: Instant,
    now: Instant,
    /// When all that is in the queue is through.
    through: Instant,
    /// Handed over and not sent yet, in flight, and what the association lets be in flight.
    waiting: VecDeque<usize>,
    flying: VecDeque<(Instant, usize)>,
    in_flight: usize,
    congestion: usize,
    acknowledged: u64,
    /// The most bytes that were in the queue.
    deepest: f64,
    follow: Follow,
}

impl Path {
    fn new(megabits: f64, round_trip: Duration) -> Self {
        let begin = Instant::now();
        Self {
            rate: megabits * 125_000.0,
            round_trip,
            most: MOST,
            away: Duration::ZERO,
            begin,
            now: begin,
            through: begin,
            waiting: VecDeque::new(),
            flying: VecDeque::new(),
            in_flight: 0,
            congestion: 4_380,
            acknowledged: 0,
            deepest: 0.0,
            follow: Follow::default(),
        }
    }

    fn outstanding(&self) -> usize {
        self.in_flight + self.waiting.iter().sum::<usize>()
    }

    /// All that may be under way is handed over.
    fn fill(&mut self) {
        loop {
            self.follow.look(self.now, Look { acknowledged: self.acknowledged, most: self.most });
            if self.outstanding() + MESSAGE > self.follow.bytes() {
                return self.follow.waits();
            }
            self.follow.hands_over(self.now, MESSAGE);
            self.waiting.extend(std::iter::repeat_n(MESSAGE / 4, 4));
            self.fly();
        }
    }

    fn fly(&mut self) {
        while let Some(&packet) = self.waiting.front()
            && self.in_flight + packet <= self.congestion
        {
            self.waiting.pop_front();
            self.in_flight += packet;
            let queued = (self.through - self.now.min(self.through)).as_secs_f64() * self.rate;
            self.deepest = self.deepest.max(queued);
            self.through = self.through.max(self.now) + Duration::from_secs_f64(packet as f64 / self.rate);
            self.flying.push_back((self.through + self.round_trip, packet));
        }
    }

    /// Bytes a second over this time.
    fn runs(&mut self, time: Duration) -> f64 {
        let (begin, acknowledged) = (self.now, self.acknowledged);
        while self.now < begin + time {
            self.fill();
            let Some(&(at, _)) = self.flying.front() else { panic!("nothing under way") };
            self.now = self.turn(at.max(self.now));
            while let Some(&(at, packet)) = self.flying.front()
                && at <= self.now
            {
                self.flying.pop_front();
                self.in_flight -= packet;
                self.acknowledged += packet as u64;
                if !self.waiting.is_empty() {
                    self.congestion += packet;
                }
                self.fly();
            }
        }
        (self.acknowledged - acknowledged) as f64 / (self.now - begin).as_secs_f64()
    }

    /// When the sender has a processor.
    fn turn(&self, at: Instant) -> Instant {
        let since = at - self.begin;
        let into = Duration::from_nanos((since.as_nanos() % (100 * MS).as_nanos()) as u64);
        at + self.away.saturating_sub(into)
    }
}

#[test]
fn a_short_queue_is_never_overfull() {
    for (megabits, ms, buffer) in
        [(100.0, 20, 225_000.0), (100.0, 50, 550_000.0), (20.0, 20, 225_000.0), (400.0, 20, 900_000.0)]
    {
        let mut path = Path::new(megabits, ms * MS);
        path.runs(Duration::from_secs(1));
        let rate = path.runs(Duration::from_secs(25));
        let (share, deepest, now) = (rate / path.rate, path.deepest, path.follow.bytes());
        println!("{megabits} Mbit/s, {ms} ms: {share:.2} of the rate, a queue of {deepest:.0}, {now} under way");
        assert!(deepest < buffer, "{megabits} Mbit/s, {ms} ms: a queue of {deepest} overflows");
        assert!(share > 0.9, "{megabits} Mbit/s, {ms} ms: {share} of the rate");
    }
}

#[test]
fn a_long_path_is_filled_within_two_seconds() {
    let mut path = Path::new(8_000.0, 50 * MS);
    path.runs(2_000 * MS);
    assert_eq!(path.follow.bytes(), MOST);
    let rate = path.runs(Duration::from_secs(12));
    assert!(rate > 80e6, "{rate}");
}

#[test]
fn it_begins_with_the_start_and_a_receiver_that_takes_less_gets_less() {
    let mut follow = Follow::default();
    let now = Instant::now();
    follow.look(now, Look { acknowledged: 0, most: MOST });
    assert_eq!(follow.bytes(), SEND_BUFFER_BYTES);
    follow.look(now, Look { acknowledged: 0, most: 49_152 });
    assert_eq!(follow.bytes(), 49_152);
    let mut path = Path::new(8_000.0, 50 * MS);
    path.most = 159_744;
    path.runs(Duration::from_secs(2));
    assert_eq!(path.follow.bytes(), 159_744);
}

#[test]
fn a_sender_that_waits_for_a_processor_does_not_come_to_a_crawl() {
    for away in [5, 20, 50] {
        let mut path = Path::new(2_600.0, MS / 5);
        path.away = away * MS;
        let rate = path.runs(Duration::from_secs(2));
        let share = rate / path.rate / (1.0 - f64::from(away) / 100.0);
        println!("away for {away} of 100 ms: {share:.2} of what is left");
        assert!(share > 0.8, "away for {away} of 100 ms: {share} of what is left");
    }
}

#[test]
fn a_path_that_becomes_longer_is_learnt_anew() {
    let mut path = Path::new(8_000.0, 20 * MS);
    path.runs(Duration::from_secs(3));
    assert_eq!(path.follow.bytes(), MOST);
    path.round_trip = 80 * MS;
    path.runs(Duration::from_secs(14));
    assert_eq!(path.follow.bytes(), MOST);
}

#[test]
fn a_path_that_becomes_slower_gets_less_at_once() {
    let mut path = Path::new(800.0, 20 * MS);
    path.runs(Duration::from_secs(3));
    let before = path.follow.bytes();
    path.rate = 50.0 * 125_000.0;
    path.runs(Duration::from_secs(5));
    assert!(path.follow.bytes() < before / 4, "{} of {before}", path.follow.bytes());
}

#[test]
fn it_is_halved_while_nothing_moves_and_never_starves() {
    let mut path = Path::new(8_000.0, 50 * MS);
    path.runs(Duration::from_secs(3));
    path.fill();
    let mut now = path.now;
    for _ in 0..3 {
        now += STILL * 2;
        let before = path.follow.bytes();
        path.follow.look(now, Look { acknowledged: path.acknowledged, most: MOST });
        assert_eq!(path.follow.bytes(), before / 2);
    }
    for _ in 0..100 {
        now += STILL * 2;
        path.follow.look(now, Look { acknowledged: path.acknowledged, most: MOST });
    }
    assert_eq!(path.follow.bytes(), WINDOW_LEAST_BYTES);
}

#[test]
fn a_sender_that_says_little_changes_nothing() {
    let mut follow = Follow::default();
    let (mut now, mut acknowledged) = (Instant::now(), 0);
    for _ in 0..1_000 {
        follow.look(now, Look { acknowledged, most: MOST });
        follow.hands_over(now, 100);
        acknowledged += 100;
        // An acknowledgement that is 200 ms late, seen when the next message is sent.
        now += Duration::from_secs(1);
    }
    assert_eq!(follow.bytes(), SEND_BUFFER_BYTES);
}
