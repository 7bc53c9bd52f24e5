import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';

import { ANSWER_MS, HERE_MS, ItemFeed } from '../../js/item_feed.js';
import { FakeStream } from './fake_stream.js';

/** @typedef {{ said: unknown[], closed: boolean, onmessage: any, postMessage: (said: unknown) => void, close: () => void }} FakePort */

/** @type {{ port: FakePort, onerror: any }[]} */
let workers = [];
/** @type {(FakeStream & { token?: string | null })[]} */
let streams = [];
const page = Object.assign(new EventTarget(), { hidden: false });

function fakeWorker() {
  /** @type {FakePort} */
  const port = {
    said: [],
    closed: false,
    onmessage: null,
    postMessage: (said) => port.said.push(said),
    close: () => (port.closed = true),
  };
  const worker = { port, onerror: null };
  workers.push(worker);
  return worker;
}

/** @param {() => any} [createWorker] */
function open(createWorker = fakeWorker) {
  const createStream = (/** @type {string | null} */ token) => {
    streams.push(Object.assign(new FakeStream(), { token }));
    return /** @type {any} */ (streams.at(-1));
  };
  const feed = new ItemFeed({ createWorker, createStream });
  /** @type {unknown[]} */
  const seen = [];
  feed.on('live', (live) => seen.push(live));
  feed.on('missed', () => seen.push('missed'));
  feed.on('event', ({ name }) => seen.push(name));
  feed.on('refused', (code) => seen.push(code));
  feed.open();
  const tell = (/** @type {unknown} */ data) => workers.at(-1)?.port.onmessage?.({ data });
  return { feed, seen, tell };
}

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  Object.assign(globalThis, { document: page });
  page.hidden = false;
  workers = [];
  streams = [];
});

test('follows the worker that all tabs share', () => {
  const { seen, tell } = open();
  tell({ live: false, missed: true });
  tell({ live: true });
  tell({ name: 'created', data: '{}' });
  mock.timers.tick(HERE_MS);
  tell({ live: true });
  tell({ live: false });
  assert.deepEqual(seen, ['missed', true, 'created', false]);
  assert.deepEqual(workers[0]?.port.said, [{ here: null }, { here: null }]);
  assert.deepEqual([workers.length, streams.length], [1, 0]);
});

test('many events do not keep it from saying that it is here', () => {
  const { tell } = open();
  for (let ms = 0; ms < 3 * HERE_MS; ms += 1_000) {
    tell({ name: 'created', data: '{}' });
    mock.timers.tick(1_000);
  }
  assert.equal(workers[0]?.port.said.length, 4);
});

test('a worker that died is made anew', () => {
  const { seen, tell } = open();
  tell({ live: true });
  mock.timers.tick(HERE_MS);
  mock.timers.tick(ANSWER_MS);
  assert.deepEqual(seen, [true, false]);
  assert.equal(workers.length, 2);
  assert.ok(workers[0]?.port.closed);
  tell({ live: true, missed: true });
  assert.deepEqual(seen, [true, false, true, 'missed']);
});

test('without a worker that answers the page reads alone, while somebody sees it', () => {
  for (const fail of ['none', 'error', 'silence']) {
    [workers, streams] = [[], []];
    page.hidden = false;
    const none = () => {
      throw new ReferenceError('SharedWorker is not defined');
    };
    const { feed, seen } = open(fail === 'none' ? none : fakeWorker);
    if (fail === 'error') workers[0]?.onerror();
    if (fail === 'silence') for (let i = 0; i < 2; i += 1) mock.timers.tick(ANSWER_MS);
    assert.equal(streams.length, 1, fail);
    const stream = /** @type {FakeStream} */ (streams[0]);
    stream.tell('live', true);
    stream.tell('event', { name: 'created', data: '{}' });
    assert.deepEqual(seen, [true, 'created']);
    page.hidden = true;
    page.dispatchEvent(new Event('visibilitychange'));
    assert.ok(!stream.isOpen);
    page.hidden = false;
    page.dispatchEvent(new Event('visibilitychange'));
    assert.ok(stream.isOpen);
    feed.close();
    page.dispatchEvent(new Event('visibilitychange'));
    assert.ok(!stream.isOpen);
    assert.ok(workers.every(({ port }) => port.closed));
  }
});

test('a page that goes away says bye, and follows again when it comes back', () => {
  const { feed, seen, tell } = open();
  tell({ live: true });
  feed.close();
  assert.deepEqual(workers[0]?.port.said, [{ here: null }, 'bye']);
  mock.timers.tick(HERE_MS + ANSWER_MS);
  assert.equal(workers.length, 1);
  feed.open();
  tell({ live: true, missed: true });
  assert.deepEqual(seen, [true, false, true, 'missed']);
});

test('another token is told to the worker at once, and a refusal to the page', () => {
  const { feed, seen, tell } = open();
  const refused = { live: false, refused: 'not_authenticated', token: null };
  tell(refused);
  feed.use('a.b.c');
  feed.use('a.b.c');
  // It was on its way when the other one came.
  tell(refused);
  assert.deepEqual(workers[0]?.port.said, [{ here: null }, { here: 'a.b.c' }]);
  mock.timers.tick(HERE_MS);
  assert.deepEqual(workers[0]?.port.said.at(-1), { here: 'a.b.c' });
  assert.deepEqual(seen, ['not_authenticated']);
});

test('who reads alone begins another stream with another token', () => {
  const { feed, seen } = open(() => {
    throw new Error('there are none');
  });
  assert.equal(streams[0]?.token, null);
  streams[0]?.tell('refused', 'not_authenticated');
  feed.use('a.b.c');
  assert.equal(streams[0]?.isOpen, false);
  assert.deepEqual([streams.length, streams[1]?.token, streams[1]?.isOpen], [2, 'a.b.c', true]);
  streams[0]?.tell('refused', 'not_authenticated');
  streams[0]?.tell('live', true);
  streams[1]?.tell('live', true);
  assert.deepEqual(seen, ['not_authenticated', 'missed', true]);
});
