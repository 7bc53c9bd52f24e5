//! The background work on items: jobs are rows before anybody is told of them, and are taken up again after a crash.

pub(crate) mod digest;
pub(crate) mod runner;
pub(crate) mod webhook;
pub(crate) mod work;
