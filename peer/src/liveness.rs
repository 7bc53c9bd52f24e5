//! What state a pair is in, and when its connection is to be replaced. Pure: what happened and the time go in, outputs come
//! out; the twin of the page's, held to it by `protocol/fixtures/liveness`.
//!
//! | state | what happens | what follows |
//! |---|---|---|
//! | connecting | `network` | another try |
//! | open | `silent` | interrupted |
//! | open | `lost`, `negotiating` | rebuilding |
//! | open | `network`, `gone`; nothing acknowledged for 10 s | rebuilding: the connection is replaced |
//! | interrupted | `heard` | open |
//! | interrupted | `lost`, `negotiating` | rebuilding |
//! | interrupted | 2 s | rebuilding: the connection is replaced |
//! | interrupted | `network`; nothing acknowledged for 5 s | rebuilding: the connection is replaced |
//! | rebuilding | `network`, `present` | another try |
//! | rebuilding | 28 s since the trouble began | failed: it is given up |
//! | failed | `network`, `present` | another try |
//! | failed | `negotiating` | rebuilding, or connecting if it was never open |
//! | any | `opened` | open |
//! | any | `failed` | failed |
//!
//! A connection is replaced by a fresh one and not repaired: one opens in less time than an ICE restart takes.

#[cfg(test)]
mod golden;
#[cfg(test)]
mod property;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::limits::{INTERRUPTED_MS, REBUILDING_MS, STALLED_INTERRUPTED_MS, STALLED_OPEN_MS};

const SILENT: &str = "nothing has come for a while";
const NO_ANSWER: &str = "no answer for 2 s";
const STALLED: &str = "what was sent is not acknowledged any more";
const NETWORK: &str = "the network has changed, or this machine slept";
const REPLACED: &str = "another connection takes its place";
const NOT_REBUILT: &str = "no new connection within 28 s";

/// How a pair is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PairState {
    /// The first connection is being made, or waited for.
    Connecting,
    /// Messages go.
    Open,
    /// The connection is there, but nothing comes over it now.
    Interrupted,
    /// It was open, and another connection is being made.
    Rebuilding,
    /// Given up, until something changes or the other side offers again.
    Failed,
}

/// What happened. The names are those of the golden traces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Input {
    /// The negotiator is connecting: an attempt has begun, by either side.
    Negotiating,
    /// Messages can go.
    Opened,
    /// The current connection has ended.
    Lost { reason: String },
    /// The negotiator has given up.
    Failed { reason: String },
    /// Nothing has come for a while: ICE is disconnected.
    Silent,
    /// Something has come again.
    Heard,
    /// A look at what the other side's stack has acknowledged. `waiting`: more is under way. Asked for each second while that is so, and
    /// once when it is not any more.
    Progress { acknowledged: u64, waiting: bool },
    /// The addresses of this machine have changed. `gone`: the connection's own is not there any more, or the machine has slept.
    Network { gone: bool },
    /// Something has changed elsewhere: the other one is in the room (again), or the link to the server is back.
    Present,
    /// The instant of `poll_timeout` has come.
    Tick,
}

/// What to do and to tell, in the order given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Output {
    /// The pair is in another state.
    State { state: PairState, reason: Option<String> },
    /// The connection is as good as lost, if it is still there: the negotiator is to hear that.
    Rebuild { reason: String },
    /// The negotiator is to offer now.
    TryAgain,
    /// The negotiator is to give up.
    GiveUp { reason: String },
}

/// Since when nothing more was acknowledged, and how much was.
#[derive(Clone, Copy, Debug)]
struct Stall {
    acknowledged: u64,
    since: u64,
}

/// The machine for one remote peer.
#[derive(Debug)]
pub(crate) struct Liveness {
    state: PairState,
    was_open: bool,
    /// When what it waits for now has to be there.
    deadline: Option<u64>,
    /// When it has to be open again, from the moment on at which it was not.
    rebuilt_by: u64,
    stall: Option<Stall>,
    outputs: VecDeque<Output>,
}

impl Liveness {
    /// A pair that begins: connecting.
    pub(crate) fn new() -> Self {
        Self {
            state: PairState::Connecting,
            was_open: false,
            deadline: None,
            rebuilt_by: 0,
            stall: None,
            outputs: VecDeque::new(),
        }
    }

    /// How the pair is.
    pub(crate) fn state(&self) -> PairState {
        self.state
    }

    /// The next thing to do or to tell.
    pub(crate) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Input::Tick`] is due, on the clock of `handle`.
    pub(crate) fn poll_timeout(&self) -> Option<u64> {
        self.deadline
    }

    /// Takes what happened at `now` (milliseconds of any clock that does not go back).
    pub(crate) fn handle(&mut self, now: u64, input: Input) {
        match input {
            Input::Negotiating => self.negotiating(now),
            Input::Opened => self.opened(),
            Input::Lost { reason } => {
                if self.has_connection() {
                    self.rebuilding(now, Some(reason));
                }
            }
            Input::Failed { reason } => self.failed(reason),
            Input::Silent => self.silent(now),
            Input::Heard => {
                if self.state == PairState::Interrupted {
                    self.enter(PairState::Open, None, None);
                }
            }
            Input::Progress { acknowledged, waiting } => self.progress(now, acknowledged, waiting),
            Input::Network { gone } => self.network(now, gone),
            Input::Present => {
                if matches!(self.state, PairState::Rebuilding | PairState::Failed) {
                    self.outputs.push_back(Output::TryAgain);
                }
            }
            Input::Tick => self.tick(now),
        }
    }

    fn has_connection(&self) -> bool {
        matches!(self.state, PairState::Open | PairState::Interrupted)
    }

    fn negotiating(&mut self, now: u64) {
        match self.state {
            PairState::Open | PairState::Interrupted => self.rebuilding(now, Some(REPLACED.to_owned())),
            PairState::Failed if self.was_open => self.rebuilding(now, None),
            PairState::Failed => self.enter(PairState::Connecting, None, None),
            PairState::Connecting | PairState::Rebuilding => {}
        }
    }

    fn opened(&mut self) {
        (self.was_open, self.stall) = (true, None);
        self.enter(PairState::Open, None, None);
    }

    fn failed(&mut self, reason: String) {
        self.stall = None;
        self.enter(PairState::Failed, Some(reason), None);
    }

    fn silent(&mut self, now: u64) {
        if self.state == PairState::Open {
            self.rebuilt_by = now + REBUILDING_MS;
            self.enter(PairState::Interrupted, Some(SILENT.to_owned()), Some(now + INTERRUPTED_MS));
        }
    }

    fn progress(&mut self, now: u64, acknowledged: u64, waiting: bool) {
        if !waiting || !self.has_connection() {
            self.stall = None;
            return;
        }
        let stall = self.stall.filter(|stall| stall.acknowledged == acknowledged);
        let stall = *self.stall.insert(stall.unwrap_or(Stall { acknowledged, since: now }));
        let patience = if self.state == PairState::Open { STALLED_OPEN_MS } else { STALLED_INTERRUPTED_MS };
        if now >= stall.since + patience {
            self.replace(now, STALLED);
        }
    }

    fn network(&mut self, now: u64, gone: bool) {
        match self.state {
            PairState::Open if !gone => {}
            PairState::Open | PairState::Interrupted => self.replace(now, NETWORK),
            _ => self.outputs.push_back(Output::TryAgain),
        }
    }

    fn tick(&mut self, now: u64) {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return;
        }
        if self.state == PairState::Interrupted {
            return self.replace(now, NO_ANSWER);
        }
        self.failed(NOT_REBUILT.to_owned());
        self.outputs.push_back(Output::GiveUp { reason: NOT_REBUILT.to_owned() });
    }

    /// The connection that there is won't do. The other side may not have noticed: this one offers, whoever did before.
    fn replace(&mut self, now: u64, reason: &str) {
        self.rebuilding(now, Some(reason.to_owned()));
        self.outputs.push_back(Output::Rebuild { reason: reason.to_owned() });
        self.outputs.push_back(Output::TryAgain);
    }

    fn rebuilding(&mut self, now: u64, reason: Option<String>) {
        if self.state != PairState::Interrupted {
            self.rebuilt_by = now + REBUILDING_MS;
        }
        self.stall = None;
        self.enter(PairState::Rebuilding, reason, Some(self.rebuilt_by));
    }

    fn enter(&mut self, state: PairState, reason: Option<String>, deadline: Option<u64>) {
        self.deadline = deadline;
        if self.state != state {
            self.state = state;
            self.outputs.push_back(Output::State { state, reason });
        }
    }
}
