/** A pair outlives its connections: nothing that is said is lost or comes twice, and whoever looks is told how it is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { INTERRUPTED_MS, REBUILDING_MS } from '../../js/liveness.js';
import { UNKNOWN_MS } from '../../js/streams/limits.js';
import { enter, hear, pass, settled, stateIn, turn, two, until, watch, world as here } from './two_rooms.js';
import { seeded } from './world.js';

/** Hands the test what the machine would call. @param {{ wake: (slept: boolean) => void }} told @returns {import('../../js/waking.js').Waking} */
const wakeBy = (told) => (wake) => {
  told.wake = wake;
  return () => {};
};

test('what both say arrives once and in order, however often the connection is cut', async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const random = seeded(seed);
    const { a, b } = await two();
    const [atA, atB] = [hear(a), hear(b)];
    /** @type {Promise<string[]>[]} */
    const sends = [];
    let cuts = 0;
    for (let number = 0; number < 150; number += 1) {
      sends.push(a.send(`a ${number}`), b.send(`b ${number}`));
      for (let turns = Math.floor(random() * 4); turns > 0; turns -= 1) await turn();
      const open = here.network.open;
      if (random() < 0.1 && open.length > 0) {
        open[Math.floor(random() * open.length)]?.cut();
        cuts += 1;
      }
      if (random() < 0.1) await pass(500);
    }
    await until(() => atA.length >= 150 && atB.length >= 150);
    assert.ok(cuts > 3, `seed ${seed}`);
    assert.deepEqual(
      [atA, atB],
      [Array.from({ length: 150 }, (_, i) => `b ${i}`), Array.from({ length: 150 }, (_, i) => `a ${i}`)],
    );
    const having = await Promise.all(sends);
    assert.ok(having.every((ids, i) => ids.length === 1 && ids[0] === (i % 2 === 0 ? 'b' : 'a')));
    for (const room of [a, b]) room.leave();
  }
});

test('a send resolves once the other program has it, not before', async () => {
  const { a, b } = await two();
  /** @type {string[]} */
  const order = [];
  b.on('message', () => order.push('heard'));
  await a.send('x').then(() => order.push('resolved'));
  assert.deepEqual(order, ['heard', 'resolved']);
});

test('a cut is told, what is said meanwhile waits, and how long it took is told', async () => {
  const { a, b } = await two();
  const [seen, heard] = [watch(a), hear(b)];
  /** @type {unknown[]} */
  const told = [];
  a.on('peer', ({ peer, why, gapMs }) => told.push([peer.state, why, gapMs]));
  here.network.open[0]?.cut();
  await until(() => stateIn(a) === 'rebuilding');
  assert.ok(Number(a.peers[0]?.messageBytes) > 0);
  const sent = a.send('meanwhile');
  await pass(500);
  await until(() => stateIn(a) === 'open' && heard.length === 1);
  assert.deepEqual(await sent, ['b']);
  assert.deepEqual(seen, ['rebuilding', 'open']);
  assert.deepEqual(told[0], ['rebuilding', 'cut', undefined]);
  assert.equal(/** @type {any} */ (told[1])[2] >= 0, true);
});

test('a silence that ends in time changes nothing; one that lasts replaces the connection', async () => {
  const { a, b } = await two();
  const [seen, heard] = [watch(a), hear(b)];
  const made = here.network.connections.length;
  for (const end of here.network.open) end.events.silent();
  await pass(INTERRUPTED_MS - 500);
  for (const end of here.network.open) end.events.heard();
  assert.deepEqual(seen, ['interrupted', 'open']);
  assert.equal(here.network.connections.length, made);
  for (const end of here.network.open) end.dead = true;
  const sent = a.send('into the silence');
  await pass(500);
  for (const end of here.network.connections) if (!end.closed) end.events.silent();
  assert.equal(stateIn(a), 'interrupted');
  await pass(INTERRUPTED_MS + 500);
  await until(() => stateIn(a) === 'open' && stateIn(b) === 'open');
  assert.deepEqual(await sent, ['b']);
  assert.deepEqual(heard, ['into the silence']);
  assert.ok(here.network.connections.length > made);
  assert.equal(here.network.open.length, 2, 'the two sides of one connection');
});

test('what is not acknowledged for two minutes is unknown, and may arrive all the same', async () => {
  const { a, b } = await two();
  const heard = hear(b);
  here.network.wedged = true;
  here.network.open[0]?.cut();
  await until(() => stateIn(a) === 'rebuilding');
  const sent = a.send('into nothing');
  const [wait, { to, outcomes }] = [settled(sent), a.submit('this too')];
  assert.deepEqual(to, ['b']);
  await pass(REBUILDING_MS);
  assert.equal(stateIn(a), 'failed');
  await assert.rejects(a.send('nobody takes it now'), { code: 'no_peers' });
  await pass(UNKNOWN_MS - REBUILDING_MS - 1_000);
  assert.equal(wait.done, false);
  const unknown = assert.rejects(sent, { code: 'unknown' });
  await pass(1_000);
  await unknown;
  assert.deepEqual([...(await outcomes)], [['b', 'unknown']]);
  here.network.wedged = false;
  a.reconnect('b');
  await until(() => stateIn(a) === 'open');
  await until(() => heard.length === 2);
  assert.deepEqual(heard, ['into nothing', 'this too']);
});

/**
 * What a is told, by the server or by its machine.
 * @typedef {{ say: (message: object) => void, wake: (slept: boolean) => void }} Told
 * @type {Record<string, (told: Told) => void>}
 */
const changes = {
  'who came': ({ say }) => say({ type: 'peer_joined', peer_id: 'b', timestamp: '', total_peers: 2 }),
  'who is back': ({ say }) => say({ type: 'peer_back', peer_id: 'b', timestamp: '', total_peers: 2 }),
  'the server is there again': ({ say }) =>
    say({ type: 'room_state', peers: ['b'], your_peer_id: 'a', resume_token: 't', recovered: true }),
  'another network': ({ wake }) => wake(false),
  sleep: ({ wake }) => wake(true),
};

for (const [name, change] of Object.entries(changes)) {
  test(`a pair that failed is tried again when something changes: ${name}`, async () => {
    /** @type {Told} */
    const told = { wake() {}, say() {} };
    const { a } = await two({ waking: wakeBy(told) });
    told.say = (message) => here.server.peers.get('a')?.get(message);
    here.network.wedged = true;
    here.network.open[0]?.cut();
    await until(() => stateIn(a) === 'rebuilding');
    await pass(REBUILDING_MS + 5_000);
    assert.equal(stateIn(a), 'failed');
    here.network.wedged = false;
    await pass(20_000);
    assert.equal(stateIn(a), 'failed', 'nothing has changed');
    change(told);
    await until(() => stateIn(a) === 'open');
  });
}

test('after a sleep the connection is replaced; another network alone is no reason', async () => {
  /** @type {Told} */
  const told = { wake() {}, say() {} };
  const { a } = await two({ waking: wakeBy(told) });
  const seen = watch(a);
  const made = here.network.connections.length;
  told.wake(false);
  assert.deepEqual(seen, []);
  told.wake(true);
  assert.deepEqual(seen, ['rebuilding']);
  await until(() => stateIn(a) === 'open');
  assert.ok(here.network.open.length > 0 && here.network.open.every(({ number }) => number >= made));
});

test('what the other program had not taken when it was started anew is not delivered, and that is said', async () => {
  const { a, b } = await two();
  const seen = watch(a);
  for (const end of here.network.open) end.dead = true;
  here.server.forget('b');
  const lost = assert.rejects(a.send('to the one before'), { code: 'not_open' });
  const another = enter('b');
  const heard = hear(another);
  await until(() => stateIn(another) === 'open' && stateIn(a) === 'open' && seen.includes('restarted'));
  await lost;
  assert.deepEqual(await a.send('to this one'), ['b']);
  assert.deepEqual(heard, ['to this one']);
  assert.equal(b.peers.length, 1);
});

test('a message of 256 KiB goes in pieces, whatever a connection takes at once', async () => {
  const { a, b } = await two();
  const heard = hear(b);
  for (const end of here.network.connections) end.messageBytes = 16_384;
  const text = 'ü'.repeat(131_072);
  assert.equal(a.peers[0]?.messageBytes, 262_144);
  const sent = Array.from({ length: 12 }, () => a.send(text));
  assert.deepEqual(await Promise.all(sent), Array(12).fill(['b']));
  assert.deepEqual(heard, Array(12).fill(text));
});

test('no more is handed over than the connection takes', async () => {
  const { a, b } = await two();
  const heard = hear(b);
  let frames = 0;
  for (const end of here.network.open) {
    const { sendFrames } = end;
    Object.defineProperty(end, 'takesFrames', { get: () => frames < 1, configurable: true });
    end.sendFrames = (bytes) => {
      frames += 1;
      sendFrames.call(end, bytes);
    };
  }
  const sent = a.send('x'.repeat(40_000));
  await pass(1_000);
  assert.equal(frames, 1);
  await until(() => {
    frames = 0;
    for (const end of here.network.open) end.events.writable();
    return heard.length === 1;
  });
  for (const end of here.network.open) delete (/** @type {any} */ (end).takesFrames);
  for (const end of here.network.open) end.events.writable();
  assert.deepEqual(await sent, ['b']);
});

test('bytes that wait without any progress replace the connection', async () => {
  const { a } = await two();
  const seen = watch(a);
  for (const end of here.network.open) end.progress = { acknowledged: 7, waiting: true };
  await pass(10_000);
  assert.deepEqual(seen, []);
  await pass(1_500);
  await until(() => stateIn(a) === 'open' && seen.length > 0);
  assert.deepEqual(seen, ['rebuilding', 'open']);
});

test('who is away keeps its place without a connection, is not offered to, and is connected to when it is back', async () => {
  const { a, b } = await two();
  const seen = watch(a);
  here.server.peers.get('a')?.get({ type: 'peer_left', peer_id: 'b', timestamp: '', total_peers: 1, reason: 'lost' });
  await until(() => a.peers[0]?.away === true);
  /** @type {string[]} */
  const sent = [];
  const { take } = here.server;
  here.server.take = (from, message) => {
    sent.push(`${from.id} ${message.type}`);
    take.call(here.server, from, message);
  };
  here.network.open[0]?.cut();
  await until(() => stateIn(a) === 'rebuilding');
  const meanwhile = a.send('kept for you');
  await turn();
  assert.deepEqual(
    sent.filter((what) => what.startsWith('a')),
    [],
  );
  const heard = hear(b);
  here.server.peers.get('a')?.get({ type: 'peer_joined', peer_id: 'b', timestamp: '', total_peers: 2 });
  await until(() => stateIn(a) === 'open' && heard.length === 1);
  assert.deepEqual(await meanwhile, ['b']);
  assert.ok(seen.includes('back'));
});

test('to a client without streams it is as before: what was under way is lost, and that is not hidden', async () => {
  here.network.streams = false;
  const { a, b } = await two();
  const [seen, heard] = [watch(a), hear(b)];
  const before = await a.submit('before').outcomes;
  assert.deepEqual([...before], [['b', 'handed_over']]);
  await until(() => heard.length === 1);
  here.network.open[0]?.cut();
  await until(() => stateIn(a) === 'rebuilding');
  assert.equal(a.peers[0]?.messageBytes, 0);
  await assert.rejects(a.send('nobody takes it'), { code: 'no_peers' });
  await pass(4_000);
  await until(() => stateIn(a) === 'open' && stateIn(b) === 'open');
  assert.deepEqual(await a.send('after'), ['b']);
  await until(() => heard.length === 2);
  assert.deepEqual(
    [heard, seen],
    [
      ['before', 'after'],
      ['rebuilding', 'open'],
    ],
  );
});
