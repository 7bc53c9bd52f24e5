import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';

import { EventStream, RETRY_MS, SILENCE_MS } from '../../js/event_stream.js';

/** @typedef {{ lastId: string | undefined, authorization: string | undefined, answer: (other: Response | Error) => Promise<void>, say: (text: string) => Promise<void>, end: () => Promise<void>, signal: AbortSignal }} Request */

/** @type {Request[]} */
let requests = [];
/** @type {(boolean | string)[]} */
let seen = [];

const settle = () => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ['setTimeout'] });
  requests = [];
  seen = [];
});

/** @param {string | null} [token] */
function open(token = null) {
  const stream = new EventStream('http://x/events', /** @type {any} */ (fetcher), () => 0.5, token);
  stream.on('refused', (code) => seen.push(code));
  stream.on('live', (live) => seen.push(live));
  stream.on('event', ({ name, data }) => seen.push(`${name} ${data}`));
  stream.open();
  return stream;
}

/** @param {string} _ @param {{ headers: Record<string, string>, signal: AbortSignal }} init */
function fetcher(_, { headers, signal }) {
  return new Promise((resolve, reject) => {
    /** @type {ReadableStreamDefaultController} */
    let body;
    signal.addEventListener('abort', () => reject(signal.reason));
    const stream = new ReadableStream({ start: (controller) => void (body = controller) });
    signal.addEventListener('abort', () => body.error(signal.reason));
    const response = new Response(stream);
    requests.push({
      lastId: headers['Last-Event-ID'],
      authorization: headers.Authorization,
      signal,
      answer: async (other) => {
        if (other instanceof Error) reject(other);
        else resolve(other);
        await settle();
      },
      say: async (text) => {
        resolve(response);
        body.enqueue(new TextEncoder().encode(text));
        await settle();
      },
      end: async () => {
        body.close();
        await settle();
      },
    });
  });
}

const last = () => /** @type {Request} */ (requests.at(-1));

test('is live from the first word, and goes on after the last event', async () => {
  open();
  assert.equal(last().lastId, undefined);
  assert.deepEqual(seen, []);
  await last().say('id: e-1\n: hello\n\n');
  await last().say('event: created\nid: e-2\ndata: 1\n\n');
  await last().end();
  assert.deepEqual(seen, [true, 'created 1', false]);
  mock.timers.tick(RETRY_MS);
  assert.equal(requests.length, 2);
  assert.equal(last().lastId, 'e-2');
  await last().say('event: reset\nid: f-0\ndata: {}\n\n');
  assert.deepEqual(seen.slice(3), [true, 'reset {}']);
});

test('a stream without a word is not live, whatever the socket says', async () => {
  open();
  await last().say(':\n\n');
  mock.timers.tick(SILENCE_MS - 1);
  await last().say(':\n\n');
  mock.timers.tick(SILENCE_MS - 1);
  assert.deepEqual(seen, [true]);
  mock.timers.tick(1);
  assert.deepEqual(seen, [true, false]);
  assert.ok(last().signal.aborted);
  await settle();
  mock.timers.tick(RETRY_MS);
  assert.equal(requests.length, 2, 'one new request, though the old one ended too');
});

test('a request that waits for ever is given up, and tried again', async () => {
  open();
  mock.timers.tick(SILENCE_MS);
  assert.ok(last().signal.aborted);
  await settle();
  mock.timers.tick(RETRY_MS);
  assert.equal(requests.length, 2);
  assert.deepEqual(seen, []);
});

test('a refusal and a broken network are tried again, as late as the server wants it', async () => {
  open();
  await last().say('retry: 500\n\n');
  await last().end();
  for (const answer of [new Response('', { status: 503 }), new TypeError('no network')]) {
    mock.timers.tick(499);
    const before = requests.length;
    mock.timers.tick(1);
    assert.equal(requests.length, before + 1);
    await last().answer(answer);
  }
  assert.deepEqual(seen, [true, false]);
});

test('once closed it says nothing more, and can be opened again', async () => {
  const stream = open();
  await last().say('id: 7\ndata: 1\n\n');
  stream.close();
  await settle();
  mock.timers.tick(SILENCE_MS + RETRY_MS);
  assert.deepEqual([requests.length, ...seen], [1, true, 'message 1', false]);
  stream.open();
  assert.equal(last().lastId, '7');
});

test('shows its token in a header, and does not insist when it is refused', async () => {
  open();
  assert.equal(last().authorization, undefined);
  const stream = open('a.b.c');
  assert.equal(last().authorization, 'Bearer a.b.c');
  await last().answer(Response.json({ code: 'token_expired' }, { status: 401 }));
  await settle();
  assert.deepEqual(seen, ['token_expired']);
  const before = requests.length;
  mock.timers.tick(SILENCE_MS + RETRY_MS * 10);
  stream.open();
  assert.equal(requests.length, before);
  stream.refusal = null;
  stream.open();
  assert.equal(requests.length, before + 1);
  await last().answer(Response.json({ code: 'not_allowed' }, { status: 403 }));
  await settle();
  assert.deepEqual(seen, ['token_expired', 'not_allowed']);
});

test('a refusal that is not about tokens may pass', async () => {
  open();
  for (const [status, body] of /** @type {const} */ ([
    [403, 'go away'],
    [401, '{"code":"http"}'],
  ])) {
    const before = requests.length;
    await last().answer(new Response(body, { status }));
    await settle();
    mock.timers.tick(RETRY_MS);
    assert.equal(requests.length, before + 1);
  }
  assert.deepEqual(seen, []);
});
