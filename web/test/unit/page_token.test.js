import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { Items } from '../../js/items.js';
import { PageToken } from '../../js/page_token.js';
import { GuardedServer, problem } from './guarded_server.js';
import { token } from './tokens.js';

const server = new GuardedServer();
before(() => server.start());
after(() => server.stop());
beforeEach(() => {
  server.asked = [];
  server.refuses = (shown) => (shown === undefined ? 'not_authenticated' : null);
  server.answer = () => ({ status: 200, body: [] });
});

/** @type {PageToken[]} */
const pages = [];
// A token that is there has a timer.
afterEach(() => pages.splice(0).forEach((made) => made.forget()));

/** @param {string | null} [kept] @param {() => number} [clock] */
function page(kept = null, clock = () => 2_000_000) {
  const store = { kept, load: () => store.kept, save: (/** @type {string | null} */ value) => (store.kept = value) };
  const made = new PageToken({ base: server.url, store, clock });
  pages.push(made);
  /** @type {import('../../js/page_token.js').Need[]} */
  const needs = [];
  made.on('need', (need) => needs.push(need));
  const items = new Items(server.url, made.fetch, { given: made.given, random: () => 0 });
  items.on('refused', ({ error, own }) => made.want({ code: error.code, purpose: 'items', own }));
  return { token: made, store, needs, items };
}

const FIELDS = { title: 'A', description: null, status: /** @type {const} */ ('active') };

test('without a token nothing is sent and everything may be tried; with one it goes into a header', async () => {
  server.refuses = () => null;
  const { token: mine, items, needs } = page();
  assert.equal(mine.items, 'write');
  assert.ok(mine.allowsRoom('any'));
  await items.list({});
  const shown = token({ items: 'read' });
  mine.use(shown);
  await items.list({ q: 'x' });
  assert.deepEqual(
    server.asked.map(({ authorization }) => authorization),
    [undefined, `Bearer ${shown}`],
  );
  assert.ok(server.asked.every(({ url, referer }) => !url.includes('ey') && referer === undefined));
  assert.deepEqual(needs, []);
});

test('what it allows is read from it', () => {
  const { token: mine } = page(token({ rooms: ['ci-*'], items: 'read' }));
  assert.equal(mine.items, 'read');
  assert.ok(mine.allowsRoom('ci-1') && !mine.allowsRoom('team'));
  mine.use(token({}));
  assert.equal(mine.items, 'none');
});

test('a change that is refused waits for a token, and is made with it', async () => {
  const { token: mine, items, needs, store } = page();
  server.answer = ({ body }) => ({ status: 201, body: { ...JSON.parse(body), id: 1 } });
  /** @type {string[]} */
  const said = [];
  const made = items.create(FIELDS, { progress: (state) => said.push(state) });
  while (needs.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(needs, [{ code: 'not_authenticated', purpose: 'items', own: true }]);
  const shown = token({ items: 'write' });
  mine.use(shown);
  assert.equal((await made).id, 1);
  assert.equal(store.kept, shown);
  assert.deepEqual(said, ['saving', 'token', 'saving']);
  const keys = server.asked.map(({ method, body }) => `${method} ${body}`);
  assert.equal(keys[0], keys[1], 'the same request, once without and once with the token');
});

test('what is refused to a token that is another by now is asked for with that, and no token is wanted for it', async () => {
  const { token: mine, items, needs } = page();
  const shown = token({ items: 'read' });
  server.refuses = (asked) => {
    mine.use(shown);
    return asked === undefined ? 'not_authenticated' : null;
  };
  await items.list({});
  assert.deepEqual(
    server.asked.map(({ authorization }) => authorization),
    [undefined, `Bearer ${shown}`],
  );
  assert.deepEqual(needs, []);
});

test('a token without a right to items is not asked for again by what the page asks for by itself', async () => {
  const { token: mine, items, needs } = page();
  server.refuses = (asked) => {
    mine.use(token({ rooms: ['team-*'] }));
    return asked === undefined ? 'not_authenticated' : 'not_allowed';
  };
  await assert.rejects(items.list({}), { code: 'not_allowed' });
  assert.deepEqual(needs, []);
  mine.want({ code: 'not_allowed', purpose: 'items', own: true });
  assert.equal(needs.length, 1, 'what the user does is another matter');
});

test('who gives none is told that it was refused; who stops waiting, too', async () => {
  const { token: mine, items, needs } = page();
  const refused = items.create(FIELDS);
  while (needs.length === 0) await new Promise((resolve) => setImmediate(resolve));
  mine.decline();
  await assert.rejects(refused, { code: 'not_authenticated', status: 401 });

  const stop = new AbortController();
  const stopped = items.create(FIELDS, { signal: stop.signal });
  while (needs.length === 1) await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  await assert.rejects(stopped, { code: 'not_authenticated' });
});

test('what the page asks for by itself wants a token once, and not again after a "not now"', async () => {
  const { token: mine, items, needs } = page();
  await assert.rejects(items.list({}), { code: 'not_authenticated' });
  assert.equal(needs.length, 1);
  mine.decline();
  await assert.rejects(items.list({}));
  assert.equal(needs.length, 1);
  mine.want({ code: 'not_authenticated', own: true });
  assert.equal(needs.length, 2, 'what the user does asks again');
  mine.want({ code: 'host_not_allowed', own: true });
  assert.equal(needs.length, 2, 'no token helps against that');
  mine.forget();
  mine.want({ code: 'not_authenticated' });
  assert.equal(needs.length, 2, 'who forgets it wants none');
});

test('the server is asked whether a token is good, and says why not', async () => {
  const { token: mine } = page();
  const good = token({}, { sub: 'good' });
  server.refuses = (shown) => (shown === good ? null : shown === undefined ? 'not_authenticated' : 'token_expired');
  await mine.check(good);
  assert.equal(server.asked.at(-1)?.url, '/api/ice-servers');
  assert.equal(mine.value, null, 'it is not in use by that');
  await assert.rejects(mine.check(token()), { code: 'token_expired' });
  server.refuses = () => null;
  server.answer = () => problem(429, 'rate_limited', { 'Retry-After': '3' });
  await assert.rejects(mine.check(good), { code: 'rate_limited', retryMs: 3_000 });
  const { token: elsewhere } = page();
  const gone = new PageToken({ base: 'http://127.0.0.1:9/', store: { load: () => null, save: () => {} } });
  await assert.rejects(gone.check(good), { code: 'network' });
  assert.equal(elsewhere.value, null);
});

test('it says when it ends soon, and when it has ended', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  // An hour, so the last five minutes are the end of it.
  const { token: mine } = page(token({}, { iat: 1_000, exp: 4_600 }), Date.now);
  /** @type {string[]} */
  const said = [];
  mine.on('soon', () => said.push(mine.end));
  assert.equal(mine.end, 'far');
  t.mock.timers.tick(3_299_000);
  assert.deepEqual(said, []);
  t.mock.timers.tick(1_000);
  assert.deepEqual(said, ['soon']);
  t.mock.timers.tick(300_000);
  assert.deepEqual(said, ['soon', 'over']);
  t.mock.timers.tick(3_600_000);
  assert.deepEqual(said, ['soon', 'over']);

  // Of a minute the last twelve seconds.
  mine.use(token({}, { iat: Date.now() / 1_000, exp: Date.now() / 1_000 + 60 }));
  assert.equal(mine.end, 'far');
  t.mock.timers.tick(48_000);
  assert.deepEqual(said, ['soon', 'over', 'soon']);
});

test('what the tab keeps and is no token is not used', () => {
  for (const kept of ['', 'hello', 'a b.c.d']) assert.equal(page(kept).token.value, null);
  const { token: mine, store } = page();
  let changes = 0;
  mine.on('change', () => (changes += 1));
  store.kept = token();
  mine.reload();
  assert.deepEqual([mine.value, changes], [store.kept, 1]);
});
