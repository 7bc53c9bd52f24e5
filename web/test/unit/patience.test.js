/** What a session does when the server answers for nothing of what was sent. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';

import { BACKOFF_CAP_MS } from '../../js/backoff.js';
import { Patience, UNANSWERED_LAST_MS, UNANSWERED_MS } from '../../js/patience.js';
import { DOUBT_WAIT_MS, Session } from '../../js/session.js';
import { FakeSocket } from './fake_socket.js';

let now = 0;

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout'] });
  now = 0;
});
afterEach(() => mock.timers.reset());

/** @param {number} ms */
function pass(ms) {
  now += ms;
  mock.timers.tick(ms);
}

/** A session that a server has let in which gives tokens. */
function joined() {
  /** @type {FakeSocket[]} */
  const sockets = [];
  const webSocket = () => {
    const socket = new FakeSocket();
    sockets.push(socket);
    return socket;
  };
  const waking = () => () => {};
  const session = new Session({ url: () => 'ws://x/', webSocket, random: () => 0.5, now: () => now, waking });
  const last = () => /** @type {FakeSocket} */ (sockets.at(-1));
  const arrive = () => {
    last().accept();
    session.joined({ resume_token: `t${sockets.length}`, recovered: sockets.length > 1 });
  };
  const say = (/** @type {unknown} */ data) => session.send({ type: 'broadcast', data: /** @type {any} */ (data) });
  session.open();
  arrive();
  return { session, sockets, last, arrive, say };
}

test('what has no answer is sent again over another connection, whatever comes from the others', () => {
  const { session, sockets, last, arrive, say } = joined();
  say('hello');
  pass(UNANSWERED_MS - 1);
  assert.equal(last().sent.length, 1);
  pass(1);
  assert.deepEqual(last().messages.at(-1), { type: 'ping' });
  pass(DOUBT_WAIT_MS - 1);
  last().say('{"type":"peer_joined"}');
  assert.equal(session.status?.state, 'open');
  pass(1);
  assert.deepEqual(session.status, { state: 'waiting', attempt: 1, delayMs: 250, code: 1006, word: 'lost' });
  assert.equal(sockets[0]?.closed, 4408);
  pass(250);
  arrive();
  assert.deepEqual(
    last().messages.map(({ data }) => data),
    ['hello'],
  );
});

test('an answer for some of it, or to the ping, is a sign of life', () => {
  const { session, sockets, last, say } = joined();
  say(1);
  say(2);
  pass(UNANSWERED_MS - 1);
  session.answered(last().messages[0].id);
  pass(UNANSWERED_MS - 1);
  assert.equal(last().sent.length, 2);
  pass(1);
  last().say('{"type":"pong"}');
  pass(DOUBT_WAIT_MS);
  session.answered(last().messages[1].id);
  pass(BACKOFF_CAP_MS);
  assert.equal(sockets.length, 1);
});

test('a server that is only slow keeps its clients', () => {
  const { session, sockets, last, arrive, say } = joined();
  const slow = UNANSWERED_MS + DOUBT_WAIT_MS + 1_000;
  const answers = (/** @type {FakeSocket} */ socket) => {
    const send = socket.send.bind(socket);
    socket.send = (text) => {
      send(text);
      const { id } = JSON.parse(text);
      setTimeout(() => {
        socket.say(id ? '{"type":"ack"}' : '{"type":"pong"}');
        if (id && socket === last()) session.answered(id);
      }, slow);
    };
  };
  answers(last());
  for (let second = 0; second < 400; second += 1) {
    say(second);
    pass(1_000);
    if (session.status?.state !== 'connecting') continue;
    answers(last());
    arrive();
  }
  assert.ok(sockets.length >= 2 && sockets.length <= 4, `${sockets.length} connections`);
});

test('each doubt comes later until an answer is in time', () => {
  const patience = new Patience();
  const wait = () => {
    patience.beginAnew();
    patience.sent(now);
    return Number(patience.until) - now;
  };
  assert.equal(patience.until, null);
  const waits = [wait()];
  for (let doubts = 0; doubts < 8; doubts += 1) {
    patience.doubted(now);
    waits.push(wait());
  }
  assert.deepEqual(waits.slice(0, 3), [UNANSWERED_MS, 2 * UNANSWERED_MS, 4 * UNANSWERED_MS]);
  assert.equal(waits.at(-1), UNANSWERED_LAST_MS);
  patience.answered(now + 2 * UNANSWERED_MS, now, false);
  assert.equal(wait(), UNANSWERED_LAST_MS);
  patience.answered(now + UNANSWERED_MS, now, false);
  assert.equal(wait(), UNANSWERED_MS);
});
