//! Any sequence of what clients do, against a model that knows nothing but the rules.

use std::collections::{HashMap, HashSet};

use proptest::{collection::vec, prelude::*};

use super::peer::{Peer, World};
use crate::relay::table::Refusal;

const ROOMS: [&str; 2] = ["one", "two"];
const USERS: [&str; 3] = ["a", "b", "c"];
const QUOTA: usize = 4;
const ALL: usize = 8;

#[derive(Clone, Debug)]
enum Step {
    Allocate(usize, usize),
    End(usize),
    Refresh(usize),
    Permit(usize, usize),
    Send(usize, usize),
    Wait(u64),
    Sweep,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let one = prop_oneof![
        4 => (0..ROOMS.len(), 0..USERS.len()).prop_map(|(room, user)| Step::Allocate(room, user)),
        1 => (0..20_usize).prop_map(Step::End),
        1 => (0..20_usize).prop_map(Step::Refresh),
        5 => (0..20_usize, 0..20_usize).prop_map(|(from, to)| Step::Permit(from, to)),
        5 => (0..20_usize, 0..20_usize).prop_map(|(from, to)| Step::Send(from, to)),
        2 => prop_oneof![1..5_u64, Just(11), Just(150), Just(400)].prop_map(Step::Wait),
        1 => Just(Step::Sweep),
    ];
    vec(one, 1..120)
}

/// What is known of an allocation.
struct Known {
    peer: Peer,
    room: usize,
    user: usize,
    until: u64,
    carried: u64,
}

#[derive(Default)]
struct Model {
    all: Vec<Known>,
    /// By who permits and who is permitted, until when.
    permissions: HashMap<(usize, usize), u64>,
    now: u64,
}

impl Model {
    fn lives(&self, index: usize) -> bool {
        self.all.get(index).is_some_and(|known| self.now < known.until)
    }

    fn permits(&self, from: usize, to: usize) -> bool {
        self.permissions.get(&(from, to)).is_some_and(|until| self.now < *until)
    }

    fn same_room(&self, from: usize, to: usize) -> bool {
        self.lives(from) && self.lives(to) && self.all[from].room == self.all[to].room
    }

    /// Ends the one that goes for a new one of this user, or says why there is none.
    fn place(&mut self, user: usize) -> Result<(), u16> {
        let living: Vec<usize> = (0..self.all.len()).filter(|index| self.lives(*index)).collect();
        let own: Vec<usize> = living.iter().copied().filter(|index| self.all[*index].user == user).collect();
        let mut count = living.len();
        if own.len() >= QUOTA {
            let idle = own.into_iter().min_by_key(|index| self.all[*index].carried).unwrap();
            if self.all[idle].carried + 10 > self.now {
                return Err(486);
            }
            self.all[idle].until = self.now;
            count -= 1;
        }
        if count >= ALL { Err(508) } else { Ok(()) }
    }
}

fn apply(world: &mut World, model: &mut Model, step: &Step) {
    let count = model.all.len();
    match *step {
        Step::Allocate(room, user) => allocate(world, model, room, user),
        Step::End(index) if index < count => refresh(world, model, index, 0),
        Step::Refresh(index) if index < count => refresh(world, model, index, 600),
        Step::Permit(from, to) if from.max(to) < count => permit(world, model, from, to),
        Step::Send(from, to) if from.max(to) < count => send(world, model, from, to),
        Step::Wait(seconds) => {
            world.wait(seconds);
            model.now += seconds;
        }
        Step::Sweep => world.table.expire(world.now.at),
        _ => {}
    }
}

fn allocate(world: &mut World, model: &mut Model, room: usize, user: usize) {
    world.table.expire(world.now.at);
    let expected = model.place(user);
    let made = world.allocate(ROOMS[room], USERS[user]);
    assert_eq!(made.as_ref().map(|_| ()).map_err(|code| *code), expected);
    if let Ok(peer) = made {
        model.all.push(Known { peer, room, user, until: model.now + 600, carried: model.now });
    }
}

fn refresh(world: &mut World, model: &mut Model, index: usize, seconds: u64) {
    let expected = if model.lives(index) { 200 } else { 437 };
    assert_eq!(world.refresh(&model.all[index].peer, seconds as u32), expected);
    if expected == 200 {
        model.all[index].until = model.now + seconds;
    }
}

fn permit(world: &mut World, model: &mut Model, from: usize, to: usize) {
    let expected = match (model.lives(from), model.same_room(from, to)) {
        (false, _) => 437,
        (true, true) => 200,
        (true, false) => 403,
    };
    let address = model.all[to].peer.relayed;
    assert_eq!(world.permit(&model.all[from].peer, address), expected, "{from} to {to}");
    if expected == 200 {
        model.permissions.insert((from, to), model.now + 300);
    }
}

fn send(world: &mut World, model: &mut Model, from: usize, to: usize) {
    let expected = model.same_room(from, to) && model.permits(from, to) && model.permits(to, from);
    let (sender, receiver) = (&model.all[from].peer, &model.all[to].peer);
    let delivered = world.send(sender, receiver.relayed, b"data").map(|(client, ..)| client);
    assert_eq!(delivered, expected.then_some(receiver.client), "{from} to {to}");
    if expected {
        (model.all[from].carried, model.all[to].carried) = (model.now, model.now);
    }
}

proptest! {
    #[test]
    fn the_rules_hold_whatever_clients_do(steps in steps()) {
        let mut world = World::with(|settings| (settings.allocations, settings.allocations_per_user) = (ALL, QUOTA));
        let mut model = Model::default();
        for step in &steps {
            apply(&mut world, &mut model, step);
            // The model's peers keep their nonces, which are good for an hour.
            if model.now > 3_500 {
                break;
            }
        }
        world.table.expire(world.now.at);
        let living = (0..model.all.len()).filter(|index| model.lives(*index));
        let addresses: HashSet<_> = living.map(|index| model.all[index].peer.relayed).collect();
        prop_assert_eq!(world.table.allocations(), addresses.len());
        prop_assert_eq!(world.table.stats().refused(Refusal::Auth), 0);
    }
}
