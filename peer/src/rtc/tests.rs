//! Two real connections on loopback, with all that a driver would do done by hand. One scenario a file.

mod a_burst_is_not_held_back;
mod a_long_message_fits_a_small_socket;
mod each_side_takes_what_it_has_announced;
mod offers_of_other_stacks;
mod who_offers_may_yield_the_control_of_ice;

use std::sync::Arc;

use grtc_protocol::PeerId;
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Settings, WebRtc};
use crate::{
    backend::{Command, Context, Event, FromConnection, Handle, PairKey, RtcBackend},
    channel::{Channel, Label},
    delivery::Delivery,
    event::{self, Payload},
    negotiator::Input,
};

/// One side of an open connection.
struct Side {
    channel: Channel,
    inbox: mpsc::Receiver<event::Event>,
    _handle: Handle,
}

impl Side {
    async fn message(&mut self) -> Payload {
        match self.inbox.recv().await {
            Some(event::Event::Message { payload, .. }) => payload,
            other => panic!("{other:?}"),
        }
    }
}

struct Opening {
    handle: Handle,
    events: mpsc::Receiver<FromConnection>,
    inbox: mpsc::Receiver<event::Event>,
}

fn begin(channel: Option<Label>, stuck: bool, socket_buffer: usize) -> Opening {
    let settings = Settings {
        network: crate::Network { interfaces: vec!["lo".to_owned()], no_mdns: true, ..crate::Network::default() },
        ice_servers: vec![],
        socket_buffer,
    };
    let ((to_driver, events), (to_program, inbox)) = (mpsc::channel(256), mpsc::channel(256));
    let other: PeerId = "other".parse().unwrap();
    let delivery = Delivery::new(other.clone(), to_program.clone(), &mut fastrand::Rng::new());
    delivery.told().send_replace(true);
    tokio::spawn(Arc::clone(&delivery).hand_over(CancellationToken::new()));
    let handle = WebRtc::new(settings, TaskTracker::new()).open(Context {
        key: PairKey { peer: other, epoch: 1 },
        connection: 1,
        channel,
        stuck,
        delivery,
        leaving: CancellationToken::new(),
        events: to_driver,
        inbox: to_program,
    });
    Opening { handle, events, inbox }
}

/// What the other side is told instead of a description.
type Rewrite = fn(&str) -> String;

/// Opens a connection whose UDP sockets ask for so many bytes; what each side says of itself is rewritten.
async fn open(socket_buffer: usize, rewrite: [Rewrite; 2]) -> [Side; 2] {
    let a = begin(Some(Label::Chat), false, socket_buffer);
    open_between(a, begin(None, false, socket_buffer), rewrite).await
}

/// The first one offers.
async fn open_between(mut a: Opening, mut b: Opening, rewrite: [Rewrite; 2]) -> [Side; 2] {
    a.handle.command(Command::CreateOffer);
    let (mut channels, mut candidates, mut described) = ([None, None], [vec![], vec![]], false);
    while channels.iter().any(Option::is_none) {
        let (side, event) = tokio::select! {
            Some((_, _, event)) = a.events.recv() => (0, event),
            Some((_, _, event)) = b.events.recv() => (1, event),
        };
        match event {
            Event::Input(Input::OfferCreated { sdp, .. }) => {
                b.handle.command(Command::AcceptOffer(rewrite[0](&sdp)));
            }
            Event::Input(Input::AnswerCreated { sdp, .. }) => {
                a.handle.command(Command::ApplyAnswer(rewrite[1](&sdp)));
                described = true;
            }
            Event::Input(Input::LocalCandidate { candidate, .. }) => candidates[side].push(candidate),
            Event::Open(open) => {
                open.deliver.send_replace(true);
                channels[side] = Some(open.channel);
            }
            Event::Input(Input::OperationFailed { message, .. }) => panic!("{message}"),
            _ => {}
        }
        if described {
            for (of, to) in candidates.iter_mut().zip([&b, &a]) {
                of.drain(..).for_each(|candidate| to.handle.command(Command::AddCandidate(candidate)));
            }
        }
    }
    let side = |opening: Opening, channel: Option<Channel>| Side {
        channel: channel.unwrap(),
        inbox: opening.inbox,
        _handle: opening.handle,
    };
    let [first, second] = channels;
    [side(a, first), side(b, second)]
}

/// A description of somebody without streams.
fn without_streams(sdp: &str) -> String {
    sdp.replace("a=grtc-streams:1\r\n", "").replace("a=grtc-streams-taken:1\r\n", "")
}

/// A description as it is.
fn as_it_is(sdp: &str) -> String {
    sdp.to_owned()
}
