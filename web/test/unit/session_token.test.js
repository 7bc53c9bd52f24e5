import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';

import { Session } from '../../js/session.js';
import { AGAIN_MS, ANSWER_MS, RENEW_MS } from '../../js/session_token.js';
import { FakeSocket } from './fake_socket.js';
import { token } from './tokens.js';

const NOW = 1_000_000;
/** @type {{ socket: FakeSocket, protocols: string[], url: string }[]} */
let opened = [];

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: NOW });
  opened = [];
});

/** A token that ends in so many seconds. @param {number} seconds @param {string} [sub] */
const lasting = (seconds, sub = 'ana') => token({ rooms: ['r'] }, { sub, exp: NOW / 1_000 + seconds });
const settle = () => new Promise((resolve) => setImmediate(resolve));
const last = () => /** @type {(typeof opened)[number]} */ (opened.at(-1));

/** @param {import('../../js/session_token.js').TokenOption} [option] */
function open(option) {
  const session = new Session({
    url: (query) => `ws://x/ws/r?${new URLSearchParams(query)}`,
    webSocket: (url, protocols) => {
      const socket = new FakeSocket();
      opened.push({ socket, protocols, url });
      return socket;
    },
    random: () => 0.5,
    now: () => Date.now() - NOW,
    waking: () => () => {},
    token: option,
  });
  session.open();
  return session;
}

/** @param {Session} session */
function join(session) {
  last().socket.accept();
  session.joined();
}

test('without a token nothing is offered, with one two subprotocols', () => {
  open();
  assert.deepEqual(last().protocols, []);
  const mine = lasting(600);
  open(mine);
  assert.deepEqual(last().protocols, ['grtc', `grtc.token.${mine}`]);
  assert.doesNotMatch(last().url, /ey/, 'it is in no address');
});

test('a function is asked at each connection, and may take its time', async () => {
  const tokens = [lasting(600), lasting(900)];
  let asked = 0;
  const session = open(async () => tokens[asked++]);
  assert.equal(opened.length, 0);
  await settle();
  assert.deepEqual(last().protocols[1], `grtc.token.${tokens[0]}`);
  join(session);
  last().socket.end(1012);
  mock.timers.tick(250);
  await settle();
  assert.deepEqual(last().protocols[1], `grtc.token.${tokens[1]}`);
});

test('a function that fails is asked again later; one that answers after the end is not heard', async () => {
  let fails = true;
  const session = open(() => {
    if (fails) throw new Error('no network');
    return lasting(600);
  });
  assert.equal(session.status?.state, 'waiting');
  fails = false;
  mock.timers.tick(250);
  assert.equal(opened.length, 1);

  /** @type {(token: string) => void} */
  let give = () => {};
  const slow = open(() => new Promise((resolve) => (give = resolve)));
  slow.close();
  give(lasting(600));
  await settle();
  assert.equal(opened.length, 1);
  assert.equal(slow.status?.state, 'closed');
});

test('what is no token never reaches the network', () => {
  for (const text of ['hello', '', 'a.b.c\r\nX: y']) {
    assert.deepEqual(open(text).status, { state: 'closed', code: 4401, word: 'not_authenticated' });
  }
  assert.equal(opened.length, 0);
});

test('refused, it stays away and says why, unless there is another token by now', () => {
  const session = open(lasting(600));
  last().socket.end(4401, 'token_expired');
  const closed = { state: 'closed', code: 4401, word: 'not_authenticated', reason: 'token_expired' };
  assert.deepEqual(session.status, closed);
  mock.timers.tick(60_000);
  assert.equal(opened.length, 1);

  let newest = lasting(1);
  const lives = open(() => newest);
  join(lives);
  const first = newest;
  newest = lasting(600);
  last().socket.end(4401, 'token_expired');
  assert.equal(lives.status?.state, 'waiting', 'not at once: it may be as bad');
  mock.timers.tick(250);
  assert.equal(last().protocols[1], `grtc.token.${newest}`);
  assert.notEqual(first, newest);
  last().socket.end(4401, 'token_invalid');
  assert.equal(lives.status?.state, 'closed');
  const forbidden = open(() => newest);
  newest = lasting(900);
  last().socket.end(4403, 'not_allowed');
  assert.equal(forbidden.status?.state, 'closed');
});

test('another token goes over the open connection, and the answer says how long it is good for', async () => {
  const session = open(lasting(600));
  await assert.rejects(session.token.renew(lasting(900)), { code: 'not_joined' });
  last().socket.accept();
  await assert.rejects(session.token.renew(lasting(900)), { code: 'not_joined' }, 'not yet let in');
  session.joined();
  await assert.rejects(session.token.renew('no token'), { code: 'bad_token' });
  assert.deepEqual(last().socket.sent, []);

  const newer = lasting(900);
  const renewed = session.token.renew(newer);
  assert.deepEqual(last().socket.messages, [{ type: 'auth', token: newer }]);
  session.token.taken('2026-01-02T03:04:05Z');
  assert.deepEqual(await renewed, new Date('2026-01-02T03:04:05Z'));
  last().socket.end(1012);
  mock.timers.tick(250);
  assert.equal(last().protocols[1], `grtc.token.${newer}`, 'the next connection begins with it');
});

test('what the server does not take changes nothing', async () => {
  const mine = lasting(600);
  const session = open(mine);
  join(session);
  const renewed = session.token.renew(lasting(900, 'somebody else'));
  session.token.refused('the token is for somebody else');
  await assert.rejects(renewed, { code: 'bad_token', message: 'the token is for somebody else' });
  last().socket.end(1012);
  mock.timers.tick(250);
  assert.equal(last().protocols[1], `grtc.token.${mine}`);
});

test('no answer, or the end of the connection, is said to who waits', async () => {
  const session = open(lasting(600));
  join(session);
  const silent = session.token.renew(lasting(900));
  mock.timers.tick(ANSWER_MS);
  await assert.rejects(silent, { code: 'no_answer' });
  const cut = session.token.renew(lasting(900));
  last().socket.end(1006);
  await assert.rejects(cut, { code: 'not_joined' });
});

test('a function is asked for a newer one a minute before the end, and again while there is none', async () => {
  const [first, second] = [lasting(600), lasting(1_200)];
  let newest = first;
  const session = open(() => newest);
  join(session);
  mock.timers.tick(600_000 - RENEW_MS);
  assert.deepEqual(
    last().socket.messages.filter(({ type }) => type === 'auth'),
    [],
  );
  newest = second;
  mock.timers.tick(AGAIN_MS);
  assert.deepEqual(
    last().socket.messages.filter(({ type }) => type === 'auth'),
    [{ type: 'auth', token: second }],
  );
  session.token.taken('2026-01-02T03:04:05Z');
  mock.timers.tick(AGAIN_MS * 3);
  assert.equal(last().socket.messages.filter(({ type }) => type === 'auth').length, 1);
  await settle();
});
