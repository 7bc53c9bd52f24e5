//! The router before one of the two forgets whose packets are whose: they come from another port then, and what the other one
//! sends arrives nowhere.

use std::time::{Duration, Instant};

use grtc_testkit::{
    namespace::among,
    nat::{Forgets, Nat},
};

use crate::common::{Network, PATIENCE, all_came, path, went_on};

const WITHIN: Duration = Duration::from_secs(10);

#[test]
fn whose_udp_is_whose() -> anyhow::Result<()> {
    forgotten("a_router_may_forget::whose_udp_is_whose", Forgets::Udp)
}

#[test]
fn whose_tcp_is_whose_too() -> anyhow::Result<()> {
    forgotten("a_router_may_forget::whose_tcp_is_whose_too", Forgets::All)
}

fn forgotten(test: &str, what: Forgets) -> anyhow::Result<()> {
    among(test, async |[a, router, b]| {
        Network::of(&a, &router)
            .await?
            .watch(async |network| {
                network.line.set_all(path(Duration::from_millis(20), 0.0));
                let mut nat = Nat::in_front_of(&b, &router)?;
                let mut talk = network.talk(&a, &b).await?;
                talk.go_on(Duration::from_secs(2)).await?;
                nat.forget(what)?;
                let forgotten = Instant::now();
                talk.until_heard(forgotten, WITHIN + PATIENCE).await?;
                // What A sends comes to B once B has been heard from its new port: the one way may be quicker.
                talk.go_on(Duration::from_secs(2)).await?;
                let heard = talk.end(PATIENCE).await?;
                went_on(&heard, forgotten, WITHIN)?;
                all_came(&heard)
            })
            .await
    })
}
