//! Lines to made-up peers, in virtual time.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    sync::{Notify, mpsc, watch},
    time::timeout,
};

use grtc_peer::{PeerId, SendError};

use super::{stdin::Line, *};

/// What a peer does with lines.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Takes,
    /// Takes them and its channel closes before it acknowledges one.
    Breaks,
    /// Takes them and acknowledges none.
    Silent,
    /// Takes none.
    Stuck,
    /// Takes none that is longer than this.
    Short(usize),
}

#[derive(Default)]
struct Peers {
    here: Mutex<BTreeMap<PeerId, Kind>>,
    got: Mutex<Vec<(String, String)>>,
}

impl Peers {
    fn kind(&self, id: &PeerId) -> Option<Kind> {
        self.here.lock().unwrap().get(id).copied()
    }

    fn got(&self, name: &str) -> Vec<String> {
        self.got.lock().unwrap().iter().filter(|(id, _)| id == name).map(|(_, line)| line.clone()).collect()
    }
}

impl Audience for Peers {
    fn connected(&self) -> Vec<PeerId> {
        self.here.lock().unwrap().keys().cloned().collect()
    }

    async fn send(&self, to: &PeerId, line: &str) -> Result<(), SendError> {
        match self.kind(to) {
            None => return Err(SendError::NotConnected(to.clone())),
            Some(Kind::Stuck) => std::future::pending().await,
            Some(Kind::Short(most)) if line.len() > most => return Err(SendError::TooLong(line.len())),
            _ => {}
        }
        self.got.lock().unwrap().push((to.to_string(), line.to_owned()));
        Ok(())
    }

    async fn flush<T: Send>(&self, to: &PeerId, mark: impl Fn() -> T + Send + Sync) -> Result<T, SendError> {
        tokio::time::sleep(Duration::from_millis(5)).await;
        match self.kind(to) {
            Some(Kind::Takes | Kind::Short(_)) => Ok(mark()),
            Some(Kind::Silent | Kind::Stuck) => std::future::pending().await,
            Some(Kind::Breaks) | None => {
                self.here.lock().unwrap().remove(to);
                Err(SendError::Closed(to.clone()))
            }
        }
    }
}

/// Lines on their way.
struct Trial {
    peers: Arc<Peers>,
    somebody: Arc<Notify>,
    stdin: mpsc::Sender<Line>,
    progress: watch::Receiver<Progress>,
    problems: mpsc::Receiver<Problem>,
}

impl Trial {
    fn new(kinds: &[(&str, Kind)]) -> Self {
        let peers = Arc::new(Peers::default());
        let somebody = Arc::<Notify>::default();
        let (problem, problems) = mpsc::channel(64);
        let (progress, noted) = watch::channel(Progress::default());
        let (stdin, lines) = mpsc::channel(16);
        tokio::spawn(Sender::new(Arc::clone(&peers), Arc::clone(&somebody), problem, progress).run(lines));
        let trial = Self { peers, somebody, stdin, progress: noted, problems };
        kinds.iter().for_each(|(name, kind)| trial.comes(name, *kind));
        trial
    }

    fn comes(&self, name: &str, kind: Kind) {
        self.peers.here.lock().unwrap().insert(name.parse().unwrap(), kind);
        self.somebody.notify_waiters();
    }

    async fn types(&self, lines: &[&str]) {
        for line in lines {
            self.stdin.send(Line::Text((*line).to_owned())).await.unwrap();
        }
    }

    /// The end of stdin, and how far it comes within a while.
    async fn ends(self) -> (Arc<Peers>, Progress, Vec<String>) {
        let Self { peers, stdin, mut progress, mut problems, .. } = self;
        drop(stdin);
        let _ = timeout(Duration::from_secs(60), progress.wait_for(|progress| progress.delivered)).await;
        let mut told = Vec::new();
        while let Ok(problem) = problems.try_recv() {
            told.push(format!("{} {}", problem.code, problem.peer.map(|id| id.to_string()).unwrap_or_default()));
        }
        let progress = progress.borrow().clone();
        (peers, progress, told)
    }
}

fn delivered(refused: usize) -> Progress {
    Progress { waiting: 0, refused, ended: true, delivered: true, broken: false }
}

#[tokio::test(start_paused = true)]
async fn everybody_gets_each_line_in_order() {
    let trial = Trial::new(&[("a", Kind::Takes), ("b", Kind::Takes)]);
    let lines: Vec<String> = (0..10_000).map(|number| number.to_string()).collect();
    for line in &lines {
        trial.types(&[line]).await;
    }
    let (peers, progress, told) = trial.ends().await;
    assert_eq!((peers.got("a"), peers.got("b")), (lines.clone(), lines));
    assert_eq!((progress, told), (delivered(0), vec![]));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_delivered_at_once() {
    let (_, progress, told) = Trial::new(&[]).ends().await;
    assert_eq!((progress, told), (delivered(0), vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_line_for_nobody_says_so_once_and_goes_to_the_first_who_comes() {
    let mut trial = Trial::new(&[]);
    trial.types(&["x", "y"]).await;
    assert_eq!(trial.problems.recv().await.map(|problem| problem.code), Some("nobody_there"));
    assert_eq!(trial.progress.borrow().waiting, 1);
    trial.comes("a", Kind::Takes);
    let (peers, progress, told) = trial.ends().await;
    assert_eq!((peers.got("a"), progress, told), (vec!["x".to_owned(), "y".to_owned()], delivered(0), vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_line_for_nobody_is_not_delivered() {
    let trial = Trial::new(&[]);
    trial.types(&["x"]).await;
    let (_, progress, told) = trial.ends().await;
    assert_eq!((progress.waiting, progress.delivered, told), (1, false, vec!["nobody_there ".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn what_a_broken_channel_had_goes_to_the_next_one() {
    let trial = Trial::new(&[("a", Kind::Breaks)]);
    trial.types(&["x", "y"]).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    trial.comes("b", Kind::Takes);
    trial.types(&["z"]).await;
    let (peers, progress, _) = trial.ends().await;
    assert_eq!((peers.got("b").concat(), progress), ("xyz".to_owned(), delivered(0)));
}

#[tokio::test(start_paused = true)]
async fn one_who_leaves_midway_does_not_take_the_lines_along_that_others_have() {
    let trial = Trial::new(&[("a", Kind::Breaks), ("b", Kind::Takes)]);
    trial.types(&["x", "y"]).await;
    let (peers, progress, told) = trial.ends().await;
    assert_eq!((peers.got("b").concat(), progress, told), ("xy".to_owned(), delivered(0), vec![]));
}

#[tokio::test(start_paused = true)]
async fn one_who_takes_nothing_or_acknowledges_nothing_is_named_and_not_waited_for() {
    let trial = Trial::new(&[("a", Kind::Stuck), ("b", Kind::Takes), ("c", Kind::Silent)]);
    trial.types(&["x", "y"]).await;
    let (peers, progress, told) = trial.ends().await;
    assert_eq!((peers.got("b").concat(), progress), ("xy".to_owned(), delivered(0)));
    assert_eq!(told, ["not_sent a", "not_sent c"]);
}

#[tokio::test(start_paused = true)]
async fn a_line_too_long_for_one_is_named_and_goes_to_the_others() {
    let trial = Trial::new(&[("a", Kind::Short(2)), ("b", Kind::Takes)]);
    trial.types(&["long", "x"]).await;
    let (peers, progress, told) = trial.ends().await;
    assert_eq!((peers.got("a").concat(), peers.got("b").concat()), ("x".to_owned(), "longx".to_owned()));
    assert_eq!((progress, told), (delivered(0), vec!["not_sent a".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn a_line_too_long_for_everybody_holds_up_nothing_and_is_counted() {
    let trial = Trial::new(&[("a", Kind::Short(2))]);
    trial.types(&["long", "x"]).await;
    trial.stdin.send(Line::TooLong).await.unwrap();
    let (peers, progress, _) = trial.ends().await;
    assert_eq!((peers.got("a").concat(), progress), ("x".to_owned(), delivered(2)));
}
