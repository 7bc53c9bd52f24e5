//! Whatever happens, in whatever order: a pair that is being rebuilt comes to an end, and nobody is told to replace what is not there.

use proptest::prelude::*;

use super::{Input, Liveness, Output, PairState};
use crate::limits::REBUILDING_MS;

fn input() -> impl Strategy<Value = Input> {
    prop_oneof![
        2 => Just(Input::Negotiating),
        2 => Just(Input::Opened),
        1 => Just(Input::Lost { reason: "lost".to_owned() }),
        1 => Just(Input::Failed { reason: "failed".to_owned() }),
        2 => Just(Input::Silent),
        1 => Just(Input::Heard),
        4 => (0_u64..3, any::<bool>()).prop_map(|(acknowledged, waiting)| Input::Progress { acknowledged, waiting }),
        1 => any::<bool>().prop_map(|gone| Input::Network { gone }),
        1 => Just(Input::Present),
        1 => Just(Input::Tick),
    ]
}

/// A pair, and since when it is being rebuilt.
struct Watched {
    machine: Liveness,
    rebuilding_since: Option<u64>,
}

impl Watched {
    fn feed(&mut self, now: u64, input: Input) {
        let before = self.machine.state();
        let opened = input == Input::Opened;
        self.machine.handle(now, input);
        while let Some(output) = self.machine.poll_output() {
            let had_connection = matches!(before, PairState::Open | PairState::Interrupted);
            match output {
                Output::Rebuild { .. } => assert!(had_connection, "there is nothing to replace while {before:?}"),
                Output::GiveUp { .. } => assert_eq!(before, PairState::Rebuilding),
                Output::State { state, .. } => assert_ne!(state, before, "it is told at a change"),
                Output::TryAgain => {}
            }
        }
        let state = self.machine.state();
        assert!(!opened || state == PairState::Open, "what is open is open");
        let waits = matches!(state, PairState::Interrupted | PairState::Rebuilding);
        assert_eq!(waits, self.machine.poll_timeout().is_some(), "who waits has a timer");
        self.rebuilding_since =
            (state == PairState::Rebuilding).then(|| self.rebuilding_since.filter(|_| before == state).unwrap_or(now));
        assert!(self.rebuilding_since.is_none_or(|since| now <= since + REBUILDING_MS), "it is given up in time");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_pair_is_never_rebuilt_for_too_long(happens in proptest::collection::vec((0_u64..8_000, input()), 0..80)) {
        let mut pair = Watched { machine: Liveness::new(), rebuilding_since: None };
        let mut now = 0;
        for (pause, input) in happens {
            let at = now + pause;
            while let Some(due) = pair.machine.poll_timeout().filter(|due| *due <= at) {
                now = now.max(due);
                pair.feed(now, Input::Tick);
            }
            now = at;
            pair.feed(now, input);
        }
        while let Some(due) = pair.machine.poll_timeout() {
            now = now.max(due);
            pair.feed(now, Input::Tick);
        }
        prop_assert!(!matches!(pair.machine.state(), PairState::Interrupted | PairState::Rebuilding));
    }
}
