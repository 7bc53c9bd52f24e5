//! Lines of stdin for everybody, each kept until somebody has acknowledged it.

mod audience;
mod sender;
mod stdin;
#[cfg(test)]
mod tests;

pub(super) use self::{
    audience::{Audience, Problem, Progress},
    sender::Sender,
    stdin::read,
};
