/** What a session does so that nothing is lost when its connection is replaced. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';

import { KEPT_CHARS, KEPT_MESSAGES, UNDER_WAY } from '../../js/resume.js';
import { OWN_GHOST_MS, Session } from '../../js/session.js';
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

/** @param {(url: string) => FakeSocket} webSocket */
function session(webSocket) {
  const made = new Session({
    url: (query) => `ws://x/?${new URLSearchParams(query)}`,
    webSocket,
    random: () => 0.5,
    now: () => now,
    waking: () => () => {},
  });
  made.open();
  return made;
}

/** A session whose sockets are the test's. */
function scripted() {
  /** @type {(FakeSocket & { url: string })[]} */
  const sockets = [];
  const made = session((url) => {
    const socket = Object.assign(new FakeSocket(), { url });
    sockets.push(socket);
    return socket;
  });
  const last = () => /** @type {FakeSocket & { url: string }} */ (sockets.at(-1));
  /** @param {{ resume_token?: string, recovered?: boolean }} state */
  const arrive = (state) => {
    last().accept();
    last().say('{"type":"room_state"}');
    return made.joined(state);
  };
  const lose = () => {
    last().end(1006);
    pass(30_000);
  };
  return { session: made, sockets, last, arrive, lose };
}

const word = (/** @type {unknown} */ data) => /** @type {const} */ ({ type: 'broadcast', data });
const said = (/** @type {FakeSocket} */ socket) => socket.messages.map(({ data }) => data);

test('asks for it, counts what comes after the room_state, and names the token', () => {
  const { sockets, last, arrive, lose } = scripted();
  assert.equal(last().url, 'ws://x/?resume=');
  arrive({ resume_token: 't1' });
  for (const frame of ['{"type":"pong"}', 'no JSON', '{"type":"of a later version"}']) last().say(frame);
  last().onmessage?.({ data: new ArrayBuffer(1) });
  lose();
  assert.equal(last().url, 'ws://x/?resume=t1&received=3');
  arrive({ resume_token: 't2', recovered: true });
  last().say('{"type":"pong"}');
  lose();
  assert.equal(last().url, 'ws://x/?resume=t2&received=1');
  assert.equal(sockets.length, 3);
});

test('a connection that is lost before its room_state leaves token and count as they were', () => {
  const { last, arrive, lose } = scripted();
  arrive({ resume_token: 't1' });
  last().say('{"type":"pong"}');
  lose();
  last().accept();
  lose();
  assert.equal(last().url, 'ws://x/?resume=t1&received=1');
});

test('its own old connection may be in the way for a while', () => {
  const { session: made, last, arrive } = scripted();
  arrive({ resume_token: 't1' });
  last().end(1006);
  pass(1_000);
  last().end(4409);
  pass(2_000);
  assert.equal(last().url, 'ws://x/?resume=t1&received=0');
  pass(OWN_GHOST_MS);
  made.open();
  last().end(4409);
  assert.equal(made.status?.state, 'closed');
  made.open();
  assert.equal(last().url, 'ws://x/?resume=', 'another session');
});

test('sends again what has no answer, in order, and after it what was handed over meanwhile', () => {
  const { session: made, last, arrive, lose } = scripted();
  arrive({ resume_token: 't1' });
  for (const data of [1, 2, 3, 4]) assert.ok(made.send(word(data)));
  made.answered(last().messages[0].id);
  made.answered(last().messages[2].id);
  last().end(1006);
  assert.ok(made.send(word(5)));
  pass(30_000);
  last().accept();
  assert.ok(made.send(word(6)), 'not let in yet');
  assert.deepEqual(last().sent, []);
  assert.deepEqual(made.joined({ resume_token: 't2', recovered: true }), { recovered: true, dropped: [] });
  assert.deepEqual(said(last()), [2, 4, 5, 6]);
  for (const { id } of last().messages) made.answered(id);
  lose();
  arrive({ resume_token: 't3', recovered: true });
  assert.deepEqual(last().sent, []);
});

test('what can not be known to have arrived is dropped, and named', () => {
  const { session: made, last, arrive } = scripted();
  arrive({ resume_token: 't1' });
  made.send(word(1));
  last().end(1006);
  made.send(word(2));
  pass(30_000);
  assert.deepEqual(arrive({ resume_token: 't2', recovered: false }).dropped, [word(1), word(2)]);
  assert.deepEqual(last().sent, []);
  made.send(word(3));
  assert.deepEqual(said(last()), [3]);
});

test('a server without tokens is sent to as ever', () => {
  const { session: made, last, arrive, lose } = scripted();
  arrive({});
  assert.ok(made.send(word(1)));
  assert.deepEqual(last().messages, [word(1)]);
  last().end(1006);
  assert.equal(made.send(word(2)), false);
  assert.throws(() => made.say(word(2)), { code: 'not_joined' });
  pass(30_000);
  assert.equal(last().url, 'ws://x/?resume=');
  lose();
});

test('one that has no tokens any more is another', () => {
  const { session: made, last, arrive, lose } = scripted();
  arrive({ resume_token: 't1' });
  made.send(word(1));
  lose();
  assert.deepEqual(arrive({}).dropped, [word(1)]);
  assert.equal(made.keeps, false);
  assert.deepEqual(last().sent, []);
});

test('no more is under way than the server knows of, and what waits is bounded', () => {
  const { session: made, last, arrive, lose } = scripted();
  arrive({ resume_token: 't1' });
  for (let i = 0; i < KEPT_MESSAGES; i += 1) made.say(word(i));
  assert.equal(last().sent.length, UNDER_WAY);
  assert.throws(() => made.say(word('one more')), { code: 'too_much' });
  made.answered(last().messages[0].id);
  assert.equal(last().sent.length, UNDER_WAY + 1);
  made.say(word('now'));
  lose();
  arrive({ resume_token: 't2', recovered: true });
  assert.deepEqual(
    said(last()),
    Array.from({ length: UNDER_WAY }, (_, i) => i + 1),
  );
  const { session: other, arrive: let_in } = scripted();
  let_in({ resume_token: 't1' });
  const long = 'x'.repeat(60_000);
  let sent = 0;
  while (other.send(word(long))) sent += 1;
  assert.equal(sent, Math.floor(KEPT_CHARS / 60_100));
});
