/** Rooms in memory, whose time is the test's. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock } from 'node:test';

import { Room } from '../../js/room.js';
import { FakeNetwork, FakeServer } from './fake_rooms.js';

/** What there is for the test that runs. */
export const world = {
  server: new FakeServer(),
  network: new FakeNetwork(),
  clock: 0,
  rooms: /** @type {Room[]} */ ([]),
};

beforeEach(() => {
  Object.assign(world, { server: new FakeServer(), network: new FakeNetwork(), clock: 0, rooms: [] });
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
});

afterEach(() => {
  for (const room of world.rooms) room.leave();
  mock.timers.reset();
});

/** @param {string} peerId @param {Partial<import('../../js/room.js').RoomOptions>} [more] */
export function enter(peerId, more = {}) {
  const room = new Room({
    room: 'room1',
    peerId,
    server: 'http://x',
    webSocket: world.server.connect,
    createConnection: world.network.create,
    random: () => 0.01,
    now: () => world.clock,
    ...more,
  });
  world.rooms.push(room);
  room.join();
  return room;
}

export const turn = () => new Promise((resolve) => setImmediate(resolve));

/** @param {() => boolean} condition */
export async function until(condition) {
  for (let turns = 0; turns < 5_000; turns += 1) {
    if (condition()) return;
    await turn();
  }
  assert.fail(`never: ${condition}`);
}

/** Lets time pass, in steps, with what comes of it. @param {number} ms */
export async function pass(ms) {
  for (let left = ms; left > 0; left -= 500) {
    const step = Math.min(left, 500);
    world.clock += step;
    mock.timers.tick(step);
    for (let turns = 0; turns < 20; turns += 1) await turn();
  }
}

/** Two rooms with a pair that is open on both sides. @param {Parameters<typeof enter>[1]} [more] of the first one */
export async function two(more) {
  const [a, b] = [enter('a', more), enter('b')];
  await until(() => a.peers[0]?.state === 'open' && b.peers[0]?.state === 'open');
  return { a, b };
}

/** @param {Room} room */
export function hear(room) {
  /** @type {string[]} */
  const heard = [];
  room.on('message', ({ text }) => heard.push(text));
  return heard;
}

/** @param {Room} room */
export function watch(room) {
  /** @type {string[]} */
  const seen = [];
  room.on('peer', ({ peer, change }) => seen.push(change === 'state' ? peer.state : change));
  return seen;
}

/** @param {Room} room */
export const stateIn = (room) => room.peers[0]?.state;

/** @param {Promise<unknown>} promise */
export function settled(promise) {
  const state = { done: false };
  const over = () => (state.done = true);
  promise.then(over, over);
  return state;
}
