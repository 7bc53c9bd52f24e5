import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';

import { BEAT_MS, LATE_MS, onWaking } from '../../js/waking.js';

let now = 0;
/** Each time, whether it was sleep. @type {boolean[]} */
let told = [];
let page = new EventTarget();
let connection = new EventTarget();
let sheet = Object.assign(new EventTarget(), { hidden: false });
let end = () => {};

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ['setTimeout'] });
  now = 0;
  told = [];
  [page, connection] = [new EventTarget(), new EventTarget()];
  sheet = Object.assign(new EventTarget(), { hidden: false });
  const host = {
    addEventListener: page.addEventListener.bind(page),
    removeEventListener: page.removeEventListener.bind(page),
    document: sheet,
    navigator: { connection },
  };
  end = onWaking(
    (slept) => told.push(slept),
    host,
    () => now,
  );
});

/** The timer runs, so much later than it should. @param {number} lateMs */
function beat(lateMs) {
  now += BEAT_MS + lateMs;
  mock.timers.tick(BEAT_MS);
}

/** @param {boolean} hidden */
function hide(hidden) {
  sheet.hidden = hidden;
  sheet.dispatchEvent(new Event('visibilitychange'));
}

test('the network, another network, a page that runs again', () => {
  page.dispatchEvent(new Event('online'));
  assert.deepEqual(told, [false]);
  connection.dispatchEvent(new Event('change'));
  assert.deepEqual(told, [false, false]);
  sheet.dispatchEvent(new Event('resume'));
  assert.deepEqual(told, [false, false, true]);
});

test('a timer that is late says that the machine slept', () => {
  for (let i = 0; i < 10; i += 1) beat(LATE_MS);
  assert.deepEqual(told, []);
  beat(LATE_MS + 1);
  assert.deepEqual(told, [true]);
  beat(0);
  assert.deepEqual(told, [true]);
});

test('of a page that nobody sees, once it is seen, and it may not have been sleep', () => {
  hide(true);
  for (let i = 0; i < 3; i += 1) beat(55_000);
  assert.deepEqual(told, []);
  hide(false);
  assert.deepEqual(told, [false]);
  hide(true);
  beat(0);
  hide(false);
  assert.deepEqual(told, [false], 'nothing was late');
  hide(true);
  hide(false);
  beat(55_000);
  assert.deepEqual(told, [false, false], 'nobody saw it for a while');
  beat(55_000);
  assert.deepEqual(told, [false, false, true]);
});

test('it ends', () => {
  end();
  page.dispatchEvent(new Event('online'));
  connection.dispatchEvent(new Event('change'));
  beat(60_000);
  hide(false);
  assert.deepEqual(told, []);
});

test('without a document there is nothing to listen to', () => {
  onWaking(() => assert.fail(), {})();
});
