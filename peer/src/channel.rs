//! One open channel to a peer, whichever way it goes.

use crate::{event::Payload, rtc::channel as rtc};

pub(crate) use crate::rtc::channel::Refusal;

/// What a channel is for. Each kind has a pump of its own in `rtc`, and its place in the driver's `pairs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    /// Messages of the program, each a text or bytes.
    Chat,
}

impl Label {
    /// The label as the other side sees it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
        }
    }

    /// The kind of a channel that the other side has made.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Chat].into_iter().find(|label| label.name() == name)
    }
}

/// An open channel. Clones are the same channel.
#[derive(Clone)]
pub(crate) enum Channel {
    /// A data channel.
    Rtc(rtc::Channel),
    /// What is sent is kept, for as long as the other end is, and up to this length.
    #[cfg(test)]
    Kept(tokio::sync::mpsc::Sender<Payload>, usize),
}

impl Channel {
    /// Hands a message over, as soon as there is room for it.
    pub(crate) async fn send(&self, payload: &Payload) -> Result<(), Refusal> {
        match self {
            Self::Rtc(channel) => channel.send(payload).await,
            #[cfg(test)]
            Self::Kept(_, longest) if payload.len() > *longest => Err(Refusal::TooLong(*longest)),
            #[cfg(test)]
            Self::Kept(channel, _) => channel.send(payload.clone()).await.map_err(|_| Refusal::Closed),
        }
    }

    /// Bytes that were sent and not acknowledged yet.
    pub(crate) async fn outstanding(&self) -> Result<usize, Refusal> {
        match self {
            Self::Rtc(channel) => channel.outstanding().await,
            #[cfg(test)]
            Self::Kept(channel, _) => Ok(channel.max_capacity() - channel.capacity()),
        }
    }
}
