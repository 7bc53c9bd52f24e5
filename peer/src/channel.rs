//! One open channel to a peer, whichever way it goes.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;

pub(crate) use crate::delivery::Refusal;
use crate::{
    delivery::{self, Delivery},
    event::Payload,
    rtc::channel as rtc,
};

/// What a channel is for. Each kind has a pump of its own in `rtc`, and its place in the driver's `pairs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    /// Messages of the program, each a text or bytes.
    Chat,
    /// The frames of streams.
    Streams,
}

impl Label {
    /// The label as the other side sees it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Streams => "grtc",
        }
    }

    /// What is spoken on it (RFC 8832, section 5.1).
    pub(crate) const fn protocol(self) -> &'static str {
        match self {
            Self::Chat => "",
            Self::Streams => "grtc.streams.1",
        }
    }

    /// The kind of a channel that the other side has made.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Chat, Self::Streams].into_iter().find(|label| label.name() == name)
    }
}

/// What messages are sent on. Clones are the same.
#[derive(Clone)]
pub(crate) enum Channel {
    /// A data channel: what is under way is lost with it.
    Rtc(rtc::Channel),
    /// Streams, whatever connection there is beneath.
    Streams(Arc<Delivery>),
    /// What is sent is kept, for as long as the other end is, and up to this length.
    #[cfg(test)]
    Kept(tokio::sync::mpsc::Sender<Payload>, usize),
}

/// Messages that were handed over.
pub(crate) enum Underway {
    /// The channel, and how much was sent on it with the last of them.
    Rtc(rtc::Channel, u64),
    Streams(delivery::Underway),
    #[cfg(test)]
    Kept(tokio::sync::mpsc::Sender<Payload>),
}

/// Why it is not known, or known not to be so, that the other side has a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotDelivered {
    Lost,
    Unknown,
}

impl Channel {
    /// Hands a message over, as soon as there is room for it.
    pub(crate) async fn queue(&self, payload: &Payload) -> Result<Underway, Refusal> {
        match self {
            Self::Rtc(channel) => channel.send(payload).await?,
            Self::Streams(delivery) => return delivery.queue(payload).await.map(Underway::Streams),
            #[cfg(test)]
            Self::Kept(_, longest) if payload.len() > *longest => return Err(Refusal::TooLong(*longest)),
            #[cfg(test)]
            Self::Kept(channel, _) => channel.send(payload.clone()).await.map_err(|_| Refusal::Closed)?,
        }
        Ok(self.mark())
    }

    /// Nothing more will be acknowledged.
    pub(crate) fn is_over(&self) -> bool {
        match self {
            Self::Streams(delivery) => delivery.is_over(),
            _ => true,
        }
    }

    /// All that was handed over until now.
    pub(crate) fn mark(&self) -> Underway {
        match self {
            Self::Rtc(channel) => Underway::Rtc(channel.clone(), channel.sent()),
            Self::Streams(delivery) => Underway::Streams(delivery.mark()),
            #[cfg(test)]
            Self::Kept(channel, _) => Underway::Kept(channel.clone()),
        }
    }
}

impl Underway {
    /// Waits until the other side has it: its program, by streams; its stack, by a channel alone.
    pub(crate) async fn delivered(self) -> Result<(), NotDelivered> {
        match self {
            Self::Streams(underway) => underway.delivered().await.then_some(()).ok_or(NotDelivered::Lost),
            Self::Rtc(channel, sent) => channel.acknowledged(sent).await.map_err(|_| NotDelivered::Lost),
            #[cfg(test)]
            Self::Kept(channel) => {
                while channel.max_capacity() > channel.capacity() {
                    tokio::time::sleep(crate::limits::FLUSH_CHECK).await;
                }
                Ok(())
            }
        }
    }

    /// The same, for as long as it is worth waiting.
    pub(crate) async fn within(self, time: Duration) -> Result<(), NotDelivered> {
        timeout(time, self.delivered()).await.unwrap_or(Err(NotDelivered::Unknown))
    }
}
