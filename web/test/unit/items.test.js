import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ItemStore } from '../../js/item_store.js';
import { ANSWER_MS, QUIET_MS } from '../../js/api_request.js';
import { ApiError, Items } from '../../js/items.js';
import { Emitter } from '../../js/emitter.js';

/** @type {{ method: string, url: string, body: unknown, headers: Record<string, string> }[]} */
let requests = [];

/** @param {(request: typeof requests[number]) => Response | Promise<Response>} answer */
function api(answer) {
  requests = [];
  const fetcher = async (/** @type {any} */ url, /** @type {any} */ init) => {
    const { method, body, headers, signal } = init;
    const request = { method, url: String(url), body: body && JSON.parse(body), headers };
    requests.push(request);
    const aborted = new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    return /** @type {Promise<Response>} */ (Promise.race([answer(request), aborted]));
  };
  return new Items('http://x/', fetcher);
}

const json = (/** @type {unknown} */ body, /** @type {ResponseInit} */ init = {}) =>
  new Response(JSON.stringify(body), init);
const item = (/** @type {number} */ id) => ({ id, title: `t${id}`, description: null, status: 'active', version: 1 });

test('asks for a page with its filter and learns how many match', async () => {
  const items = api(() => json([item(1)], { headers: { 'X-Total-Count': '31' } }));
  const page = await items.list({ skip: 10, limit: 10, status: 'pending', q: 'a&b', sort: '-id' });
  assert.equal(requests[0]?.url, 'http://x/api/items/?skip=10&limit=10&status=pending&q=a%26b&sort=-id');
  assert.equal(page.total, 31);
});

test('names the fields that the server refuses', async () => {
  const errors = [
    { loc: ['body', 'title'], msg: 'too long' },
    { loc: ['body', 'title'], msg: 'again' },
    { loc: 'nonsense' },
  ];
  const items = api(() => json({ code: 'validation', detail: 'No.', errors }, { status: 422 }));
  await assert.rejects(items.create({ title: '', description: null, status: 'active' }), (error) => {
    assert.ok(error instanceof ApiError);
    assert.deepEqual([error.status, error.code, error.message], [422, 'validation', 'No.']);
    assert.deepEqual([...error.fields], [['title', 'too long']]);
    return true;
  });
});

test('a server that is not there, or that does not speak JSON, is an error like others', async () => {
  await assert.rejects(api(() => Promise.reject(new TypeError('no'))).list({}), { code: 'network', status: 0 });
  await assert.rejects(api(() => new Response('<html>')).list({}), { code: 'http', status: 200 });
  await assert.rejects(api(() => new Response('<html>', { status: 500 })).process(1), { code: 'http', status: 500 });
});

test('sends the version that it knows, unless it is told to overwrite', async () => {
  const store = new ItemStore(api(() => json({ ...item(1), version: 2 })));
  const old = /** @type {any} */ (item(1));
  await store.update(old, { title: 'x' }, false);
  await store.update(old, { title: 'x' }, true);
  assert.deepEqual(
    requests.map(({ headers }) => headers['If-Match']),
    ['"1"', undefined],
  );
});

test('only the newest of several loads counts', async () => {
  /** @type {((response: Response) => void)[]} */
  const answers = [];
  const store = new ItemStore(api(() => new Promise((resolve) => answers.push(resolve))));
  const loads = [store.load(), store.load()];
  answers[1]?.(json([item(2)]));
  await loads[1];
  answers[0]?.(json([item(1)]));
  await loads[0];
  assert.deepEqual(
    store.items.map(({ id }) => id),
    [2],
  );
});

test('a page behind the last one becomes the last one', async () => {
  const store = new ItemStore(
    api(({ url }) => json(url.includes('skip=') ? [] : [item(1)], { headers: { 'X-Total-Count': '1' } })),
  );
  await store.goTo(3);
  assert.equal(store.page, 0);
  assert.equal(store.items.length, 1);
});

test('the page that is loaded is told from the one that is wanted', async () => {
  const all = Array.from({ length: 12 }, (_, i) => item(12 - i));
  const page = (/** @type {string} */ url) =>
    all.slice(Number(new URL(url).searchParams.get('skip') ?? 0)).slice(0, 10);
  const store = new ItemStore(api(({ url }) => json(page(url), { headers: { 'X-Total-Count': '12' } })));
  await store.load();
  const next = store.goTo(1);
  assert.deepEqual([store.page, store.skipped, store.items.length], [1, 0, 10]);
  await next;
  assert.deepEqual([store.page, store.skipped, store.items.length], [1, 10, 2]);
});

test('what is deleted is out of sight at once, and can come back until it is sent', async () => {
  const store = new ItemStore(
    api(({ method }) => (method === 'GET' ? json([item(1), item(2)]) : new Response(null, { status: 204 }))),
  );
  await store.load();
  store.hide(1);
  assert.deepEqual(
    store.visible.map(({ id }) => id),
    [2],
  );
  store.restore(1);
  assert.equal(store.visible.length, 2);
  await store.delete(1);
  assert.ok(
    requests.every(({ method }) => method === 'GET'),
    'a restored item is not deleted',
  );
  store.hide(2);
  store.flush();
  store.flush();
  assert.deepEqual(
    requests.filter(({ method }) => method === 'DELETE').map(({ url }) => url),
    ['http://x/api/items/2'],
  );
});

/** @param {import('node:test').TestContext} t timers, also that of `AbortSignal.timeout`, are set by `tick` */
function clock(t) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  t.mock.method(AbortSignal, 'timeout', (/** @type {number} */ ms) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new DOMException('late', 'TimeoutError')), ms);
    return controller.signal;
  });
  return t.mock.timers;
}

test('a request that waits is said to, and is given up when no answer comes', async (t) => {
  const timers = clock(t);
  const items = api(() => new Promise(() => {}));
  /** @type {number[]} */
  const waiting = [];
  items.on('waiting', (count) => waiting.push(count));
  const list = assert.rejects(items.list({}), { code: 'no_answer', status: 0 });
  const gone = assert.rejects(items.delete(1, { keepalive: true }), { code: 'unknown_outcome', status: 0 });
  timers.tick(QUIET_MS - 1);
  assert.deepEqual(waiting, []);
  timers.tick(1);
  assert.deepEqual(waiting, [1, 2]);
  timers.tick(ANSWER_MS - QUIET_MS);
  await Promise.all([list, gone]);
  assert.deepEqual(waiting, [1, 2, 1, 0]);
});

test('an answer whose body never ends is given up too', async (t) => {
  const timers = clock(t);
  const fetcher = async (/** @type {any} */ _, /** @type {any} */ { signal }) => {
    const body = new ReadableStream({
      start: (controller) => signal.addEventListener('abort', () => controller.error(signal.reason)),
    });
    return new Response(body);
  };
  const list = assert.rejects(new Items('http://x/', /** @type {any} */ (fetcher)).list({}), { code: 'no_answer' });
  await new Promise((resolve) => setImmediate(resolve));
  timers.tick(ANSWER_MS);
  await list;
});

test('what changed while nothing was heard is loaded: at every beginning, after a gap, and when it is told', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const store = new ItemStore(api(() => json([])));
  /** @extends {Emitter<import('../../js/item_feed.js').FeedEvents>} */
  class Feed extends Emitter {
    tell = this.emit;
  }
  const feed = new Feed();
  store.follow(/** @type {any} */ (feed));
  const loads = () => {
    t.mock.timers.tick(1_000);
    return requests.splice(0).length;
  };
  feed.tell('live', true);
  assert.equal(loads(), 1);
  feed.tell('live', false);
  assert.equal(loads(), 0);
  feed.tell('missed', null);
  assert.equal(loads(), 1);
  for (const name of ['created', 'updated', 'deleted', 'reset']) {
    feed.tell('event', { name, data: '{"id":1}' });
    assert.equal(loads(), 1, name);
  }
  feed.tell('event', { name: 'of a later version', data: '' });
  assert.equal(loads(), 0);
});
