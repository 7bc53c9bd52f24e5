import assert from 'node:assert/strict';
import { test } from 'node:test';

import { EventHubs, LEASE_MS } from '../../js/event_hub.js';
import { FakeStream } from './fake_stream.js';

function hub() {
  const clock = { now: 0 };
  /** @type {Map<string | null, FakeStream>} */
  const streams = new Map();
  const create = (/** @type {string | null} */ token) => {
    const stream = new FakeStream();
    streams.set(token, stream);
    return /** @type {any} */ (stream);
  };
  const made = new EventHubs(create, () => clock.now);
  const tab = (/** @type {string | null} */ token = null) => {
    /** @type {unknown[]} */
    const told = [];
    /** @type {import('../../js/event_hub.js').Port} */
    const port = { onmessage: null, postMessage: (/** @type {unknown} */ message) => told.push(message) };
    made.attach(port);
    const here = (/** @type {string | null} */ shown = token) => port.onmessage?.({ data: { here: shown } });
    here();
    return { here, bye: () => port.onmessage?.({ data: 'bye' }), told: () => told.splice(0) };
  };
  const stream = (/** @type {string | null} */ token = null) => /** @type {FakeStream} */ (streams.get(token));
  return { clock, stream, tab };
}

const event = { name: 'created', data: '{"id":1}' };

test('every tab is told how it is, and everything that happens', () => {
  const { stream, tab } = hub();
  const tabs = [tab(), tab(), tab()];
  for (const one of tabs) assert.deepEqual(one.told(), [{ live: false, missed: true }]);
  assert.ok(stream().isOpen);
  stream().tell('live', true);
  stream().tell('event', event);
  for (const one of tabs) assert.deepEqual(one.told(), [{ live: true }, event]);
  stream().live = true;
  tabs[0]?.here();
  assert.deepEqual(tabs[0]?.told(), [{ live: true }], 'nothing was missed');
});

test('the stream ends with the last tab, and begins with the next one', () => {
  const { stream, tab } = hub();
  const [first, second] = [tab(), tab()];
  first.bye();
  assert.ok(stream().isOpen);
  second.bye();
  assert.ok(!stream().isOpen);
  first.here();
  assert.ok(stream().isOpen);
});

test('nothing piles up for a tab that is frozen, and it learns that it missed something', () => {
  const { clock, stream, tab } = hub();
  const [frozen, awake] = [tab(), tab()];
  frozen.told();
  clock.now = LEASE_MS;
  awake.here();
  stream().tell('event', event);
  assert.deepEqual(frozen.told(), [event], 'a tab in the background is let run now and then');
  clock.now = LEASE_MS + 1;
  for (let i = 0; i < 100; i += 1) stream().tell('event', event);
  assert.deepEqual(frozen.told(), []);
  frozen.here();
  assert.deepEqual(frozen.told(), [{ live: false, missed: true }]);
  stream().tell('event', event);
  assert.deepEqual(frozen.told(), [event]);
});

test('tabs with another token have a stream of their own, which ends with them', () => {
  const { stream, tab } = hub();
  const [ana, also, ben] = [tab('a'), tab('a'), tab('b')];
  for (const one of [ana, also, ben]) one.told();
  stream('a').tell('event', event);
  assert.deepEqual([ana.told(), also.told(), ben.told()], [[event], [event], []]);
  ben.here('a');
  assert.ok(!stream('b').isOpen, 'nobody shows that token any more');
  assert.deepEqual(ben.told(), [{ live: false, missed: true }], 'it may see more now, or less');
  stream('a').tell('event', event);
  assert.deepEqual([ana.told(), ben.told()], [[event], [event]]);
});

test('what is refused is told, and asked for again by who comes anew', () => {
  const { stream, tab } = hub();
  const first = tab();
  first.told();
  stream().refusal = 'not_authenticated';
  stream().tell('refused', 'not_authenticated');
  assert.deepEqual(first.told(), [{ live: false, refused: 'not_authenticated', token: null }]);
  first.here();
  assert.equal(stream().refusal, 'not_authenticated', 'not every 20 s');
  tab();
  assert.equal(stream().refusal, null);
});
