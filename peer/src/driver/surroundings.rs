//! What pairs are made with, and where what they say goes.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    backend::{FromConnection, RtcBackend},
    channels::Channels,
    event::Event,
};

pub(super) struct Surroundings {
    pub(super) backend: Arc<dyn RtcBackend>,
    pub(super) channels: Arc<Channels>,
    pub(super) to_driver: mpsc::Sender<FromConnection>,
    pub(super) inbox: mpsc::Sender<Event>,
    pub(super) leaving: CancellationToken,
    pub(super) tracker: TaskTracker,
    /// What the program is to be told.
    pub(super) told: Vec<Telling>,
}

impl Surroundings {
    pub(super) fn tell(&mut self, event: Event) {
        self.told.push(event.into());
    }
}

/// An event for the program.
pub(super) struct Telling {
    pub(super) event: Event,
    /// Set once the program has it: the messages of these follow then, even when the channel has closed since.
    pub(super) lets_through: Vec<watch::Sender<bool>>,
}

impl From<Event> for Telling {
    fn from(event: Event) -> Self {
        Self { event, lets_through: Vec::new() }
    }
}
