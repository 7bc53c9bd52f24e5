import assert from 'node:assert/strict';
import { test } from 'node:test';

import { EventHub, LEASE_MS } from '../../js/event_hub.js';
import { FakeStream } from './fake_stream.js';

function hub() {
  const clock = { now: 0 };
  const stream = new FakeStream();
  const made = new EventHub(/** @type {any} */ (stream), () => clock.now);
  const tab = () => {
    /** @type {unknown[]} */
    const told = [];
    /** @type {import('../../js/event_hub.js').Port} */
    const port = { onmessage: null, postMessage: (/** @type {unknown} */ message) => told.push(message) };
    made.attach(port);
    const say = (/** @type {string} */ data) => port.onmessage?.({ data });
    say('here');
    return { say, told: () => told.splice(0) };
  };
  return { clock, stream, tab };
}

const event = { name: 'created', data: '{"id":1}' };

test('every tab is told how it is, and everything that happens', () => {
  const { stream, tab } = hub();
  const tabs = [tab(), tab(), tab()];
  for (const one of tabs) assert.deepEqual(one.told(), [{ live: false, missed: true }]);
  assert.ok(stream.isOpen);
  stream.tell('live', true);
  stream.tell('event', event);
  for (const one of tabs) assert.deepEqual(one.told(), [{ live: true }, event]);
  stream.live = true;
  tabs[0]?.say('here');
  assert.deepEqual(tabs[0]?.told(), [{ live: true }], 'nothing was missed');
});

test('the stream ends with the last tab, and begins with the next one', () => {
  const { stream, tab } = hub();
  const [first, second] = [tab(), tab()];
  first.say('bye');
  assert.ok(stream.isOpen);
  second.say('bye');
  assert.ok(!stream.isOpen);
  first.say('here');
  assert.ok(stream.isOpen);
});

test('nothing piles up for a tab that is frozen, and it learns that it missed something', () => {
  const { clock, stream, tab } = hub();
  const [frozen, awake] = [tab(), tab()];
  frozen.told();
  clock.now = LEASE_MS;
  awake.say('here');
  stream.tell('event', event);
  assert.deepEqual(frozen.told(), [event], 'a tab in the background is let run now and then');
  clock.now = LEASE_MS + 1;
  for (let i = 0; i < 100; i += 1) stream.tell('event', event);
  assert.deepEqual(frozen.told(), []);
  frozen.say('here');
  assert.deepEqual(frozen.told(), [{ live: false, missed: true }]);
  stream.tell('event', event);
  assert.deepEqual(frozen.told(), [event]);
});
