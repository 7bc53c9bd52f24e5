/** What a room makes of a connection that is replaced, of who is away, of what each says about itself, and of a history. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import { Room } from '../../js/room.js';
import { FakeNetwork } from './fake_rooms.js';
import { FakeSocket } from './fake_socket.js';

/** @type {Room[]} */
let rooms = [];

afterEach(() => {
  for (const room of rooms) room.leave();
  rooms = [];
});

/** A room at a server that is the test. @param {Partial<import('../../js/room.js').RoomOptions>} [more] */
function enter(more = {}) {
  const network = new FakeNetwork();
  /** @type {(FakeSocket & { url: string })[]} */
  const sockets = [];
  const room = new Room({
    room: 'room1',
    peerId: 'a',
    server: 'http://x',
    webSocket: (url) => {
      const socket = Object.assign(new FakeSocket(), { url });
      sockets.push(socket);
      return socket;
    },
    createConnection: network.create,
    random: () => 0,
    waking: () => () => {},
    ...more,
  });
  rooms.push(room);
  /** @type {string[]} */
  const seen = [];
  room.on('peer', ({ peer, change, reason }) => {
    if (change !== 'state') seen.push(`${peer.id} ${change}${reason ? ` ${reason}` : ''}`);
  });
  room.on('message', ({ from, text, replayed }) => seen.push(`${from}: ${text}${replayed ? ' (earlier)' : ''}`));
  room.on('error', ({ code, count }) => seen.push(`error ${code} ${count ?? ''}`));
  const last = () => /** @type {FakeSocket & { url: string }} */ (sockets.at(-1));
  const tell = (/** @type {object} */ message) =>
    last().say(JSON.stringify({ timestamp: '', total_peers: 0, ...message }));
  const arrive = (/** @type {object} */ state = {}) => {
    last().accept();
    tell({
      type: 'room_state',
      your_peer_id: 'a',
      peers: ['b'],
      epoch: 'e',
      seq: 0,
      resume_token: `t${sockets.length}`,
      ...state,
    });
  };
  const lose = () => {
    last().end(1006);
    room.join();
  };
  const news = () => seen.splice(0);
  room.join();
  return { room, network, sockets, last, tell, arrive, lose, news };
}

const broadcast = (/** @type {string} */ from, /** @type {number} */ seq, more = {}) => ({
  type: 'broadcast_message',
  from_peer_id: from,
  data: `${seq}`,
  seq,
  ...more,
});

test('a recovered connection leaves the mesh alone, and what follows is applied', () => {
  const { room, network, arrive, lose, tell, news, last } = enter();
  arrive({ peers: ['b', 'c'] });
  news();
  const made = network.connections.length;
  lose();
  arrive({ recovered: true, peers: ['c', 'd'], metadata: { c: { name: 'later' } } });
  assert.deepEqual(room.status, { state: 'joined', rejoined: true, recovered: true, peers: ['c', 'd'] });
  assert.deepEqual(news(), []);
  assert.equal(network.connections.length, made);
  tell({ type: 'peer_left', peer_id: 'b', reason: 'left' });
  tell({ type: 'peer_joined', peer_id: 'd' });
  tell(broadcast('c', 1));
  assert.deepEqual(news(), ['b left left', 'd joined', 'c: 1']);
  assert.equal(last().messages.filter(({ type }) => type === 'offer').length, 0);
});

test('one that is not recovered is a new join: pairs that are not open begin anew', async () => {
  const { room, network, arrive, lose, news } = enter();
  arrive();
  await new Promise((resolve) => setImmediate(resolve));
  room.broadcast('x');
  room.message('y', 'b');
  news();
  const made = network.connections.length;
  lose();
  arrive({ recovered: false });
  assert.equal(network.connections.length, made + 1);
  assert.deepEqual(
    news().filter((line) => line.startsWith('error')),
    ['error not_delivered 2'],
  );
});

test('what is said while the connection is down is said when it is back', () => {
  const { room, arrive, last } = enter();
  arrive();
  last().end(1006);
  room.broadcast('x');
  room.join();
  arrive({ recovered: true });
  assert.deepEqual(
    last()
      .messages.filter(({ type }) => type === 'broadcast')
      .map(({ data }) => data),
    ['x'],
  );
  assert.throws(() => room.broadcast('x'.repeat(65_536 - 40)), { code: 'too_big' });
});

test('who is away is marked, in the roster and once; who is back is not', () => {
  const { room, arrive, lose, tell, news } = enter();
  arrive();
  news();
  for (const type of ['peer_away', 'peer_away']) tell({ type, peer_id: 'b' });
  assert.deepEqual([news(), room.peers[0]?.away], [['b away'], true]);
  for (const type of ['peer_back', 'peer_back']) tell({ type, peer_id: 'b' });
  assert.deepEqual([news(), room.peers[0]?.away], [['b back'], false]);
  tell({ type: 'peer_away', peer_id: 'b' });
  tell({ type: 'peer_away', peer_id: 'nobody' });
  lose();
  arrive({ recovered: false });
  assert.equal(room.peers[0]?.away, false, 'the server says who is there now');
  tell({ type: 'peer_away', peer_id: 'b' });
  tell({ type: 'peer_left', peer_id: 'b', reason: 'lost' });
  assert.deepEqual(room.peers, []);
});

test('a signal reaches who is away, when both are back', async () => {
  const { arrive, tell, lose, last } = enter();
  arrive();
  tell({ type: 'peer_away', peer_id: 'b' });
  lose();
  await new Promise((resolve) => setImmediate(resolve));
  arrive({ recovered: true });
  const offers = last().messages.filter(({ type }) => type === 'offer');
  assert.equal(offers.length, 1);
  assert.equal(offers[0].target_peer_id, 'b');
});

test('what each says about itself', () => {
  const { room, arrive, lose, tell, news } = enter();
  arrive({ metadata: { b: { name: 'Bea' }, c: { name: 'who?' } } });
  assert.deepEqual([news(), room.peers[0]?.metadata], [['b joined', 'b updated'], { name: 'Bea' }]);
  tell({ type: 'peer_updated', peer_id: 'b', metadata: { name: 'Bo' } });
  tell({ type: 'peer_updated', peer_id: 'b', metadata: { name: 'Bo' } });
  assert.deepEqual([news(), room.peers[0]?.metadata], [['b updated'], { name: 'Bo' }]);
  lose();
  arrive({ recovered: true, metadata: {} });
  assert.deepEqual(news(), []);
  lose();
  arrive({ recovered: false, metadata: 'nonsense' });
  assert.deepEqual([news().at(-1), room.peers[0]?.metadata], ['b updated', {}]);
});

test('what one says about oneself is said after each join that is not recovered', () => {
  const said = (/** @type {FakeSocket} */ socket) =>
    socket.messages.filter(({ type }) => type === 'metadata').map(({ metadata }) => metadata.name);
  const { room, arrive, lose, last } = enter({ metadata: { name: 'Ana' } });
  arrive();
  assert.deepEqual(said(last()), ['Ana']);
  room.setMetadata({ name: 'Anna' });
  assert.deepEqual(said(last()), ['Ana', 'Anna']);
  for (const { id } of last().messages) if (id) last().say(JSON.stringify({ type: 'ack', ref: id }));
  lose();
  arrive({ recovered: true });
  assert.deepEqual(said(last()), []);
  lose();
  arrive({ recovered: false });
  assert.deepEqual(said(last()), ['Anna']);
  assert.throws(() => room.setMetadata({ name: 'x'.repeat(4_096) }), { code: 'too_big' });
});

test('a history is asked for, marked, with its own time, and told once', () => {
  const { room, arrive, lose, tell, news, last } = enter({ history: 50 });
  assert.equal(last().url, 'ws://x/ws/room1?resume=&history=50&peer_id=a');
  arrive({ seq: 2 });
  /** @type {number[]} */
  const times = [];
  room.on('message', ({ at }) => times.push(at.getTime()));
  tell(broadcast('b', 1, { replayed: true, timestamp: '2026-01-02T03:04:05Z' }));
  tell(broadcast('a', 2, { replayed: true }));
  tell(broadcast('b', 3));
  assert.deepEqual(news().slice(1), ['b: 1 (earlier)', 'a: 2 (earlier)', 'b: 3']);
  assert.equal(times[0], Date.parse('2026-01-02T03:04:05Z'));
  room.broadcast('4');
  lose();
  arrive({ recovered: false });
  news();
  for (const seq of [1, 2, 3]) tell(broadcast('b', seq, { replayed: true }));
  tell(broadcast('a', 4, { replayed: true }));
  tell(broadcast('b', 5, { replayed: true }));
  assert.deepEqual(news(), ['b: 5 (earlier)']);
});

test('a pair that is interrupted has the connection to the server looked at', () => {
  const { arrive, network, last } = enter();
  network.streams = false;
  arrive();
  const pings = () => last().messages.filter(({ type }) => type === 'ping').length;
  const [connection] = network.connections;
  connection?.events.open();
  assert.equal(pings(), 0);
  connection?.events.lost('closed');
  assert.equal(pings(), 1);
});

test('a refusal is an answer: what it is about is not sent again', () => {
  const { room, arrive, lose, last } = enter();
  arrive();
  room.message('x', 'gone');
  const [{ id }] = last().messages.filter(({ type }) => type === 'message');
  last().say(JSON.stringify({ type: 'error', code: 'peer_not_found', message: '', ref: id }));
  lose();
  arrive({ recovered: true });
  assert.deepEqual(
    last().messages.filter(({ type }) => type === 'message'),
    [],
  );
});
