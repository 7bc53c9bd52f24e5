import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';

import {
  GHOST_WAIT_MS,
  JOIN_WAIT_MS,
  OWN_GHOST_MS,
  PING_INTERVAL_MS,
  PONG_WAIT_MS,
  Session,
  backoff,
} from '../../js/session.js';

/** @typedef {import('../../js/session.js').SessionStatus} SessionStatus */

class FakeSocket {
  readyState = 0;
  /** @type {string[]} */
  sent = [];
  /** @type {((event: any) => void) | null} */
  onopen = null;
  /** @type {((event: any) => void) | null} */
  onmessage = null;
  /** @type {((event: any) => void) | null} */
  onclose = null;
  /** @param {any} text */
  send(text) {
    this.sent.push(String(text));
  }
  close() {
    this.readyState = 3;
  }
  accept() {
    this.readyState = 1;
    this.onopen?.({});
  }
  /** @param {string} data */
  say(data) {
    this.onmessage?.({ data });
  }
  /** @param {number} code */
  end(code) {
    this.readyState = 3;
    this.onclose?.({ code });
  }
}

/** @type {FakeSocket[]} */
let sockets = [];
let now = 0;

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
  const session = new Session({ url: () => 'ws://x/ws/r', webSocket, random, now: () => now, returning });
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

test('a laptop that wakes up after its heartbeat was missed comes back', () => {
  const { session, last } = open();
  join(session);
  sockets.at(-1)?.end(4408);
  assert.deepEqual(last(), { state: 'waiting', attempt: 1, delayMs: 250, code: 4408, word: 'no_heartbeat' });
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
  assert.equal(session.send('a'), false);
  sockets[0]?.accept();
  assert.equal(session.send('b'), true);
  assert.deepEqual(sockets[0]?.sent, ['b']);
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
