//! The WebSocket side: [`upgrade`] lets a client in, [`session`] serves it until it goes.

mod join;
mod message_budget;
mod session;
mod throttle;
pub(crate) mod upgrade;

pub(crate) use session::Context;
