import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import { Room } from '../../js/room.js';
import { RoomError } from '../../js/room_error.js';
import { FakeNetwork, FakeServer } from './fake_rooms.js';

const server = { value: new FakeServer() };
const network = { value: new FakeNetwork() };
/** @type {Room[]} */
let rooms = [];

afterEach(() => {
  for (const room of rooms) room.leave();
  rooms = [];
  server.value = new FakeServer();
  network.value = new FakeNetwork();
});

/** @param {string} [peerId] @param {Partial<import('../../js/room.js').RoomOptions>} [more] */
function enter(peerId, more = {}) {
  const room = new Room({
    room: 'room1',
    server: 'http://x',
    webSocket: server.value.connect,
    createConnection: network.value.create,
    random: () => 0.01,
    ...(peerId !== undefined && { peerId }),
    ...more,
  });
  rooms.push(room);
  room.join();
  return room;
}

/** @param {() => boolean} condition */
async function until(condition) {
  for (let turn = 0; turn < 5_000; turn += 1) {
    if (condition()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.fail(`never: ${condition}`);
}

/** @param {Room} room @param {...string} others */
function connected(room, ...others) {
  const open = room.peers.filter(({ state }) => state === 'open').map(({ id }) => id);
  return others.every((id) => open.includes(id)) && open.length === others.length;
}

/** @param {Room} room */
function hear(room) {
  /** @type {string[]} */
  const heard = [];
  room.on('message', ({ from, text, via }) => heard.push(`${from} ${via}: ${text}`));
  return heard;
}

test('three peers connect each with each, and talk', async () => {
  const [a, b, c] = [enter('a'), enter('b'), enter('c')];
  await until(() => connected(a, 'b', 'c') && connected(b, 'a', 'c') && connected(c, 'a', 'b'));
  const [atB, atC] = [hear(b), hear(c)];
  assert.deepEqual(await a.send('to all'), ['b', 'c']);
  assert.deepEqual(await a.send('to one', 'c'), ['c']);
  a.broadcast('by the server');
  a.message({ x: 1 }, 'b');
  a.message({ text: 'in a field' }, 'b');
  await until(() => atB.length === 4 && atC.length === 3);
  assert.deepEqual(atB, ['a p2p: to all', 'a broadcast: by the server', 'a direct: {"x":1}', 'a direct: in a field']);
  assert.deepEqual(atC, ['a p2p: to all', 'a p2p: to one', 'a broadcast: by the server']);
});

test('the server may make the id', async () => {
  const room = enter();
  await until(() => room.status.state === 'joined');
  assert.equal(room.peerId, 'made-here');
});

test('open channels outlive a restart of the server, and are kept after it', async () => {
  const [a, b] = [enter('a'), enter('b')];
  await until(() => connected(a, 'b') && connected(b, 'a'));
  const made = network.value.connections.length;
  const heard = hear(b);
  server.value.restart();
  await until(() => a.status.state === 'waiting' && b.status.state === 'waiting');
  await a.send('while it is away');
  await until(() => heard.length === 1);
  assert.throws(() => a.broadcast('x'), RoomError);
  await until(() => a.status.state === 'joined' && b.status.state === 'joined');
  await until(() => a.peers.every(({ away }) => !away) && b.peers.every(({ away }) => !away));
  assert.equal(/** @type {any} */ (a.status).rejoined, true);
  await a.send('and after it');
  await until(() => heard.length === 2);
  assert.equal(network.value.connections.length, made, 'no connection was made anew');
});

test('who is not back after a restart is away, goes with its channel, and is not offered to', async () => {
  network.value.streams = false;
  const [b, a] = [enter('b'), enter('a')];
  await until(() => connected(a, 'b') && connected(b, 'a'));
  const made = network.value.connections.length;
  server.value.banned.add('b');
  server.value.peers.delete('b');
  server.value.restart();
  await until(() => a.status.state === 'joined' && a.peers[0]?.away === true);
  b.leave();
  await until(() => a.peers.length === 0);
  assert.equal(network.value.connections.length, made);
});

test('a signal of somebody who is away or unknown is dropped', async () => {
  const [a, b] = [enter('a'), enter('b')];
  await until(() => connected(a, 'b') && connected(b, 'a'));
  const made = network.value.connections.length;
  const heard = hear(a);
  const link = server.value.peers.get('a');
  link?.get({ type: 'peer_left', peer_id: 'b', timestamp: '', total_peers: 1, reason: 'lost' });
  for (const from of ['b', 'x']) {
    const signal = { type: 'offer', target_peer_id: 'a', offer: { type: 'offer', sdp: 'offer 0' }, attempt: 'new' };
    link?.get({ type: 'webrtc_signal', from_peer_id: from, signal, timestamp: '' });
  }
  link?.get({ type: 'broadcast_message', from_peer_id: 'x', data: 'after that', timestamp: '' });
  await until(() => heard.length === 1);
  assert.equal(a.peers[0]?.away, true);
  assert.ok(connected(a, 'b'));
  assert.equal(network.value.connections.length, made);
});

test('what comes of a pair that is over does nothing', async () => {
  const [b, a] = [enter('b'), enter('a')];
  await until(() => connected(a, 'b') && connected(b, 'a'));
  const [earlier] = network.value.connections;
  const link = server.value.peers.get('a');
  link?.get({ type: 'peer_left', peer_id: 'b', timestamp: '', total_peers: 1, reason: 'left' });
  link?.get({ type: 'peer_joined', peer_id: 'b', timestamp: '', total_peers: 2 });
  await until(() => earlier?.closed === true && a.peers[0]?.state === 'connecting');
  earlier?.events.open();
  earlier?.events.lost('closed');
  assert.equal(a.peers[0]?.state, 'connecting');
  assert.equal(network.value.connections.length, 2);
});

test('a peer that leaves is told of, with its reason', async () => {
  const [a, b] = [enter('a'), enter('b')];
  await until(() => connected(a, 'b'));
  /** @type {unknown[]} */
  const seen = [];
  a.on('peer', ({ peer, change, reason }) => seen.push([peer.id, change, reason]));
  b.leave();
  await until(() => a.peers.length === 0);
  assert.deepEqual(seen.at(-1), ['b', 'left', 'left']);
});

test('a taken id is told by the status', async () => {
  enter('a');
  const second = enter('a');
  await until(() => second.status.state === 'closed');
  assert.equal(/** @type {any} */ (second.status).word, 'peer_id_taken');
});

test('what can not be sent is said', async () => {
  const a = enter('a');
  await until(() => a.status.state === 'joined');
  const coded = (/** @type {string} */ code) => (/** @type {any} */ error) => error.code === code;
  await assert.rejects(a.send('x'), coded('no_peers'));
  await assert.rejects(a.send('x', 'b'), coded('not_open'));
  await assert.rejects(a.send('x'.repeat(262_145)), coded('too_big'));
  assert.throws(() => a.broadcast('é'.repeat(33_000)), coded('too_big'));
});

test('what is too large for one peer goes to the others, and that is said by name', async () => {
  network.value.streams = false;
  const [a, b, c] = [enter('a'), enter('b'), enter('c')];
  await until(() => connected(a, 'b', 'c') && connected(c, 'a', 'b'));
  assert.deepEqual(
    a.peers.map(({ messageBytes }) => messageBytes),
    [262_144, 262_144],
  );
  // b came second: the first connection is the one that it offered to a.
  const [offered] = network.value.connections;
  assert.ok(offered?.other);
  offered.other.messageBytes = 65_535;
  /** @type {unknown[]} */
  const errors = [];
  a.on('error', ({ code, peer, limit }) => errors.push([code, peer, limit]));
  const heard = [hear(b), hear(c)];
  assert.deepEqual(await a.send('x'.repeat(65_536)), ['c']);
  assert.deepEqual(errors, [['too_big', 'b', 65_535]]);
  await until(() => heard[1]?.length === 1);
  await assert.rejects(a.send('x'.repeat(65_536), 'b'), { code: 'too_big', limit: 65_535 });
  assert.deepEqual(await a.send('x'.repeat(65_535)), ['b', 'c']);
  await until(() => heard[0]?.length === 1);
});

test('the path of an open connection is told when it is asked for', async () => {
  const [a] = [enter('a'), enter('b')];
  await until(() => connected(a, 'b'));
  await a.readStats();
  assert.equal(a.peers[0]?.path?.rttMs, 1.5);
});

test('a frame that is no message does no harm', async () => {
  const a = enter('a');
  await until(() => a.status.state === 'joined');
  /** @type {string[]} */
  const errors = [];
  a.on('error', ({ code }) => errors.push(code));
  server.value.peers.get('a')?.onmessage?.({ data: '{"type":"room_state"}' });
  assert.deepEqual(errors, ['bad_message']);
  assert.equal(a.status.state, 'joined');
});
