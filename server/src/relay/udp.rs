//! The relay by UDP, and its clock.

use std::time::Duration;

use tokio::{
    select,
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{exchange::Exchange, socket::Received};
use crate::limits::RELAY_DRAIN;

/// How often it is looked what is over.
const LOOK: Duration = Duration::from_secs(1);

/// Takes what comes by UDP until `stop`, and then for as long as anybody uses it, at most [`RELAY_DRAIN`]. Then it has ended for
/// clients by stream as well.
pub(crate) async fn run(exchange: &Exchange, stop: &CancellationToken) {
    let _over = exchange.over().clone().drop_guard();
    let mut received = Received::new();
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut end = None;
    while end.is_none() || exchange.is_in_use() {
        select! {
            () = exchange.socket().readable() => {
                exchange.socket().receive(&mut received);
                // Who is there by UDP hears what it is sent, or not.
                let _ = exchange.take(received.datagrams());
            }
            _ = looks.tick() => exchange.look(),
            () = stop.cancelled(), if end.is_none() => {
                exchange.close();
                end = Some(Instant::now() + RELAY_DRAIN);
            }
            () = async { sleep_until(end.unwrap_or_else(Instant::now)).await }, if end.is_some() => break,
        }
    }
    exchange.look();
}
