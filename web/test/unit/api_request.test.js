/** Changes are asked for until there is an answer, and are made once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { retryAfter } from '../../js/api_error.js';
import { ANSWER_MS, QUIET_MS } from '../../js/api_request.js';
import { Items } from '../../js/items.js';

const FIELDS = /** @type {const} */ ({ title: 'x', description: null, status: 'active' });
const json = (/** @type {unknown} */ body, /** @type {ResponseInit} */ init = {}) =>
  new Response(JSON.stringify(body), init);
const broken = () => Promise.reject(new TypeError('broken'));
const refused = (/** @type {number} */ status, /** @type {Record<string, string>} */ headers = {}, code = 'no') =>
  json({ code }, { status, headers });

/** @typedef {{ method: string, path: string, key: string | undefined, body: any }} Asked */

/**
 * A client on timers that `pass` sets on. `answer` says what becomes of each request.
 * @param {import('node:test').TestContext} t
 * @param {(asked: Asked, times: number) => Response | Promise<Response>} answer
 */
function client(t, answer) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  t.mock.method(AbortSignal, 'timeout', (/** @type {number} */ ms) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new DOMException('late', 'TimeoutError')), ms);
    return controller.signal;
  });
  /** @type {Asked[]} */
  const asked = [];
  /** @type {Set<() => void>} */
  const wakers = new Set();
  const fetcher = (/** @type {URL} */ url, /** @type {any} */ { method, headers, body, signal }) => {
    const request = { method, path: url.pathname, key: headers['Idempotency-Key'], body: body && JSON.parse(body) };
    asked.push(request);
    const aborted = new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    return Promise.race([answer(request, asked.length), aborted]);
  };
  const waking = (/** @type {import('../../js/waking.js').Told} */ told) => {
    const wake = () => told(false);
    wakers.add(wake);
    return () => wakers.delete(wake);
  };
  const items = new Items('http://x/', /** @type {any} */ (fetcher), { random: () => 0.5, waking });
  /** @type {string[]} */
  const states = [];
  const progress = (/** @type {string} */ state) => states.at(-1) === state || states.push(state);
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const pass = async (/** @type {number} */ ms) => {
    await settle();
    t.mock.timers.tick(ms);
    await settle();
  };
  const wake = async () => {
    await settle();
    for (const told of [...wakers]) told();
    await settle();
  };
  return { items, asked, states, progress, pass, wake, wakers };
}

test('a creation is asked for until there is an answer, under one key', async (t) => {
  const answers = [broken, () => refused(502), () => refused(503), () => refused(409, {}, 'idempotency_key_in_use')];
  const { items, asked, states, progress, pass } = client(t, (_, times) => answers[times - 1]?.() ?? json({ id: 7 }));
  const made = items.create(FIELDS, { progress });
  for (const wait of [250, 500, 1_000, 2_000]) {
    const before = asked.length;
    await pass(wait - 1);
    assert.equal(asked.length, before);
    await pass(1);
    assert.equal(asked.length, before + 1);
  }
  assert.equal((await made).id, 7);
  assert.equal(new Set(asked.map(({ key }) => key)).size, 1);
  assert.ok(asked[0]?.key);
  assert.deepEqual(states, ['saving', 'waiting']);
  void items.create(FIELDS);
  await pass(0);
  assert.notEqual(asked.at(-1)?.key, asked[0]?.key, 'the next one is another');
});

test('an answer that does not come within its time is none', async (t) => {
  const { items, asked, states, progress, pass } = client(t, (_, times) =>
    times === 1 ? new Promise(() => {}) : json({ id: 1 }),
  );
  const made = items.create(FIELDS, { progress });
  await pass(QUIET_MS - 1);
  assert.deepEqual(states, ['saving']);
  await pass(1);
  assert.deepEqual(states, ['saving', 'waiting']);
  await pass(ANSWER_MS);
  await pass(250);
  await made;
  assert.equal(asked[0]?.key, asked[1]?.key);
});

test('Retry-After is obeyed, also when the network comes back meanwhile', async (t) => {
  for (const status of [429, 503]) {
    await t.test(String(status), async (inner) => {
      const { items, asked, pass, wake } = client(inner, (_, times) =>
        times === 1 ? refused(status, { 'Retry-After': '7' }) : json({ id: 1 }),
      );
      const made = items.create(FIELDS);
      await wake();
      await pass(7_000);
      assert.equal(asked.length, 1);
      await pass(250);
      assert.equal(asked.length, 2);
      await made;
    });
  }
  assert.equal(retryAfter(new Headers({ 'Retry-After': '120' })), 120_000);
  assert.equal(retryAfter(new Headers({ 'Retry-After': 'Thu, 01 Jan 1970 00:01:00 GMT' }), 20_000), 40_000);
  assert.equal(retryAfter(new Headers({ 'Retry-After': 'soon' })), null);
  assert.equal(retryAfter(new Headers()), null);
});

test('the network is there again: it is asked at once', async (t) => {
  const { items, asked, wake, wakers } = client(t, (_, times) => (times === 1 ? broken() : json({ id: 1 })));
  const made = items.create(FIELDS);
  await wake();
  await made;
  assert.equal(asked.length, 2);
  assert.equal(wakers.size, 0, 'nobody listens any more');
});

test('an answer ends it, whatever it says', async (t) => {
  for (const status of [400, 401, 404, 409, 412, 413, 422, 500]) {
    await t.test(String(status), async (inner) => {
      const { items, asked } = client(inner, () => refused(status));
      await assert.rejects(items.create(FIELDS), { status });
      assert.equal(asked.length, 1);
    });
  }
});

test('who stops waiting and tries again asks for the same one', async (t) => {
  const { items, asked, pass } = client(t, (_, times) => (times < 3 ? broken() : json({ id: 1 })));
  const stop = new AbortController();
  const first = assert.rejects(items.create(FIELDS, { signal: stop.signal }), { code: 'unknown_outcome' });
  await pass(0);
  stop.abort();
  await first;
  const second = items.create(FIELDS);
  await pass(250);
  await second;
  assert.equal(asked.length, 3);
  assert.equal(new Set(asked.map(({ key }) => key)).size, 1);
});

test('a page that is loaded anew asks for the same one', async (t) => {
  /** @type {import('../../js/items.js').Attempt | null} */
  let kept = null;
  const outbox = {
    load: () => kept,
    save: (/** @type {import('../../js/items.js').Attempt | null} */ attempt) => void (kept = attempt),
  };
  /** @type {string[]} */
  const keys = [];
  const page = (/** @type {() => Promise<Response>} */ answer) => {
    const fetcher = (/** @type {unknown} */ _, /** @type {any} */ { headers }) => {
      keys.push(headers['Idempotency-Key']);
      return answer();
    };
    return new Items('http://x/', /** @type {any} */ (fetcher), { outbox, random: () => 0, waking: () => () => {} });
  };
  void page(() => new Promise(() => {})).create(FIELDS);
  const next = page(async () => json({ id: 1 }));
  assert.deepEqual(next.unfinished, FIELDS);
  await next.create(FIELDS);
  assert.equal(keys[0], keys[1]);
  assert.equal(kept, null);
  assert.equal(page(broken).unfinished, null);
  void page(() => new Promise(() => {})).create(FIELDS);
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 23 * 3_600_000 });
  assert.equal(page(broken).unfinished, null, 'the server may have forgotten the key');
});

test('a request under way can be stopped too', async (t) => {
  const { items, pass } = client(t, () => new Promise(() => {}));
  const stop = new AbortController();
  const made = assert.rejects(items.create(FIELDS, { signal: stop.signal }), { code: 'unknown_outcome' });
  await pass(0);
  stop.abort();
  await made;
});

test('a change whose answer got lost is no conflict with itself', async (t) => {
  const stored = { ...FIELDS, id: 1, title: 'new', version: 4 };
  const { items, asked, pass } = client(t, ({ method }, times) =>
    method === 'GET' ? json(stored) : times === 1 ? broken() : refused(412),
  );
  const changed = items.update(1, { title: 'new' }, 3);
  await pass(250);
  assert.deepEqual(await changed, stored);
  assert.deepEqual(
    asked.map(({ method }) => method),
    ['PUT', 'PUT', 'GET'],
  );
});

test('so it is when the browser itself has sent it again', async (t) => {
  const stored = { ...FIELDS, id: 1, title: 'new', version: 4 };
  const { items } = client(t, ({ method }) => (method === 'GET' ? json(stored) : refused(412)));
  assert.deepEqual(await items.update(1, { title: 'new' }, 3), stored);
});

test('a change of somebody else is one', async (t) => {
  for (const other of [
    { title: 'theirs', version: 4 },
    { title: 'new', version: 5 },
  ]) {
    await t.test(JSON.stringify(other), async (inner) => {
      const { items, pass } = client(inner, ({ method }, times) =>
        method === 'GET' ? json({ ...FIELDS, id: 1, ...other }) : times === 1 ? broken() : refused(412),
      );
      const changed = assert.rejects(items.update(1, { title: 'new' }, 3), { status: 412 });
      await pass(250);
      await changed;
    });
  }
});

test('what may be done twice is asked for again, and a job is queued once', async (t) => {
  const { items, asked, pass } = client(t, (_, times) => (times % 2 ? broken() : json({ updated_count: 1 })));
  for (const change of [() => items.delete(1), () => items.setStatus([1], 'active'), () => items.process(1)]) {
    const made = change();
    await pass(250);
    await made;
  }
  assert.deepEqual(
    asked.map(({ method }) => method),
    ['DELETE', 'DELETE', 'PATCH', 'PATCH', 'POST', 'POST'],
  );
  assert.ok(asked[4]?.key);
  assert.equal(asked[4]?.key, asked[5]?.key);
});

test('what goes with the page is sent once', async (t) => {
  const { items, asked } = client(t, broken);
  await assert.rejects(items.delete(1, { keepalive: true }), { code: 'unknown_outcome' });
  assert.equal(asked.length, 1);
});
