import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';

import {
  DOUBT_WAIT_MS,
  GHOST_WAIT_MS,
  JOIN_WAIT_MS,
  OWN_GHOST_MS,
  PING_INTERVAL_MS,
  PONG_WAIT_MS,
  Session,
  WAKE_WAIT_MS,
} from '../../js/session.js';
import { backoff } from '../../js/backoff.js';
import { FakeSocket } from './fake_socket.js';

/** @typedef {import('../../js/session.js').SessionStatus} SessionStatus */

/** @type {FakeSocket[]} */
let sockets = [];
let now = 0;
/** Says that the network is there again, or that the machine woke. @type {(slept?: boolean) => void} */
let wake = () => {};

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ['setTimeout'] });
  sockets = [];
  now = 0;
});

/** @param {number} ms */
function pass(ms) {
  now += ms;
  mock.timers.tick(ms);
}

function open(random = () => 0.5, returning = false) {
  const webSocket = () => {
    const socket = new FakeSocket();
    sockets.push(socket);
    return socket;
  };
  const waking = (/** @type {import('../../js/waking.js').Told} */ told) => {
    wake = (slept = false) => told(slept);
    return () => {
      wake = () => assert.fail('nobody listens');
    };
  };
  const session = new Session({ url: () => 'ws://x/ws/r', webSocket, random, now: () => now, returning, waking });
  /** @type {SessionStatus[]} */
  const seen = [];
  session.on('status', (status) => seen.push(status));
  session.open();
  return { session, seen, last: () => /** @type {SessionStatus} */ (seen.at(-1)) };
}

/** @param {Session} session */
function join(session) {
  sockets.at(-1)?.accept();
  session.joined();
}

test('waits at random below 0.5, 1, 2 … 30 seconds', () => {
  const longest = Array.from({ length: 9 }, (_, i) => backoff(i + 1, () => 1));
  assert.deepEqual(longest, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  assert.equal(
    backoff(5, () => 0),
    0,
  );
});

test('comes back after a restart, after ever longer waits until it is let in', () => {
  const { session, last } = open();
  join(session);
  sockets.at(-1)?.end(1012);
  assert.deepEqual(last(), { state: 'waiting', attempt: 1, delayMs: 250, code: 1012, word: 'restart' });
  pass(250);
  assert.equal(sockets.length, 2);
  sockets.at(-1)?.end(1006);
  assert.deepEqual(last(), { state: 'waiting', attempt: 2, delayMs: 500, code: 1006, word: 'lost' });
  pass(500);
  join(session);
  sockets.at(-1)?.end(1006);
  assert.equal(/** @type {any} */ (last()).attempt, 1);
});

test('stays away after the codes that say so', () => {
  for (const [code, word] of /** @type {const} */ ([
    [1000, 'left'],
    [4001, 'replaced'],
    [4003, 'kicked'],
    [4401, 'not_authenticated'],
    [4423, 'room_full'],
  ])) {
    const { session, last } = open();
    join(session);
    sockets.at(-1)?.end(code);
    assert.deepEqual(last(), { state: 'closed', code, word });
  }
});

test('a laptop that wakes up after its heartbeat was missed comes back at once', () => {
  const { session, last } = open();
  join(session);
  sockets.at(-1)?.end(4408);
  assert.deepEqual(last(), { state: 'waiting', attempt: 1, delayMs: 0, code: 4408, word: 'no_heartbeat' });
});

test('a taken id ends the first join', () => {
  const { last } = open();
  sockets.at(-1)?.accept();
  sockets.at(-1)?.end(4409);
  assert.equal(last().state, 'closed');
});

test('right after a lost connection a taken id is its own, for a while', () => {
  const { session, last } = open(() => 0.999);
  join(session);
  sockets.at(-1)?.end(1006);
  while (now < OWN_GHOST_MS) {
    const status = last();
    assert.equal(status.state, 'waiting');
    const { delayMs } = /** @type {any} */ (status);
    assert.ok(delayMs <= GHOST_WAIT_MS);
    pass(delayMs);
    sockets.at(-1)?.accept();
    sockets.at(-1)?.end(4409);
  }
  assert.equal(last().state, 'closed');
});

test('so it is for a peer that says it was there a moment ago', () => {
  const { last } = open(() => 0.5, true);
  sockets.at(-1)?.accept();
  sockets.at(-1)?.end(4409);
  assert.equal(last().state, 'waiting');
});

test('a server that does not let it in is as good as none', () => {
  const { last } = open();
  sockets.at(-1)?.accept();
  pass(JOIN_WAIT_MS);
  assert.equal(last().state, 'waiting');
});

test('connects at once when it is asked to', () => {
  const { session } = open();
  sockets.at(-1)?.end(1006);
  session.open();
  assert.equal(sockets.length, 2);
  pass(60_000);
  assert.equal(sockets.length, 2, 'the timer is off');
});

test('what a socket says after its end is not heard', () => {
  const { session, seen } = open();
  const [first] = sockets;
  session.close();
  const before = seen.length;
  first?.accept();
  first?.end(1012);
  assert.equal(seen.length, before);
});

test('sends only over an open connection', () => {
  const { session } = open();
  const [a, b] = ['a', 'b'].map((data) => /** @type {const} */ ({ type: 'broadcast', data }));
  assert.equal(session.send(/** @type {any} */ (a)), false);
  sockets[0]?.accept();
  assert.equal(session.send(/** @type {any} */ (b)), true);
  assert.deepEqual(sockets[0]?.sent, ['{"type":"broadcast","data":"b"}']);
});

test('a server that answered pings and falls silent is gone', () => {
  const { session, last } = open();
  join(session);
  pass(PING_INTERVAL_MS);
  assert.deepEqual(sockets[0]?.sent, ['{"type":"ping"}']);
  sockets[0]?.say('{"type":"pong"}');
  pass(PING_INTERVAL_MS);
  pass(PONG_WAIT_MS);
  assert.equal(last().state, 'waiting');
});

test('a server that never answered a ping may not know it', () => {
  const { session, last } = open();
  join(session);
  pass(PING_INTERVAL_MS + PONG_WAIT_MS);
  assert.equal(last().state, 'open');
});

test('waits for as long as a server that restarts asks it to', () => {
  const { session, last } = open();
  join(session);
  sockets.at(-1)?.end(1012, 'retry in 3210 ms');
  assert.deepEqual(last(), { state: 'waiting', attempt: 1, delayMs: 3_210, code: 1012, word: 'restart' });
});

test('comes back at once when the network does, and says so', () => {
  const { session, last } = open();
  sockets.at(-1)?.end(1006);
  assert.equal(last().state, 'waiting');
  /** @type {boolean[]} */
  const woke = [];
  session.on('woke', ({ slept }) => woke.push(slept));
  wake();
  assert.equal(sockets.length, 2);
  wake(true);
  assert.equal(sockets.length, 2, 'it is connecting');
  assert.deepEqual(woke, [false, true]);
});

/** A session whose server answers pings. */
function answering() {
  const all = open();
  join(all.session);
  sockets[0]?.say('{"type":"pong"}');
  return all;
}

for (const [why, ms] of /** @type {const} */ ([
  ['the network is another one', WAKE_WAIT_MS],
  ['a pair is interrupted', DOUBT_WAIT_MS],
])) {
  const doubt = (/** @type {Session} */ session) => (ms === WAKE_WAIT_MS ? wake() : session.doubt());

  test(`when ${why}, a connection that answers stays`, () => {
    const { session, last } = answering();
    doubt(session);
    assert.deepEqual(sockets[0]?.sent, ['{"type":"ping"}']);
    pass(ms - 1);
    sockets[0]?.say('{"type":"pong"}');
    pass(ms);
    assert.equal(last().state, 'open');
  });

  test(`when ${why}, one that does not answer is replaced at once, and not said goodbye to`, () => {
    const { session, seen, last } = answering();
    doubt(session);
    pass(ms - 1);
    doubt(session);
    assert.equal(last().state, 'open', 'asking again gives it no more time');
    pass(1);
    assert.deepEqual(seen.at(-2), { state: 'waiting', attempt: 1, delayMs: 0, code: 1006, word: 'lost' });
    assert.equal(sockets[0]?.closed, 4408);
    assert.equal(sockets.length, 2);
  });
}

test('a server that may not know pings is not judged by them', () => {
  const { session, last } = open();
  join(session);
  session.doubt();
  pass(DOUBT_WAIT_MS);
  assert.equal(last().state, 'open');
});

test('who is out does not listen any more', () => {
  const { session } = open();
  session.close();
  assert.throws(wake, /nobody listens/);
});
