/** Whatever the link does, both sides end connected with one another, or both give up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { World, seeded } from './world.js';

/** @typedef {import('./world.js').Weather} Weather */

const RUNS = 1_500;
const fair = { loss: 0, twice: 0, jitterMs: 0, wedged: 0, broken: 0, healsAt: 0, told: 0, oldClient: false };

/** @param {number} seed @returns {Weather} */
function weather(seed) {
  const random = seeded(seed);
  const below = (/** @type {number} */ limit) => Math.floor(random() * limit);
  const jitterMs = [0, below(100), 1_000 + below(4_000)][below(3)] ?? 0;
  const healsAt = [0, below(60_000), Infinity][below(3)] ?? 0;
  const bad = { loss: below(101), twice: below(50), jitterMs, wedged: below(101), broken: below(50), healsAt };
  return { seed, ...bad, bothInitiate: random() < 0.5, told: 0, oldClient: false };
}

/** @param {(seed: number) => Weather} make @param {(world: World) => void} check */
function always(make, check) {
  for (let seed = 1; seed <= RUNS; seed += 1) {
    const world = new World(make(seed));
    try {
      world.run();
      check(world);
    } catch (error) {
      throw new Error(`in ${JSON.stringify(make(seed))}`, { cause: error });
    }
  }
}

test('both connect with one another or both give up', () => always(weather, (world) => void world.outcome()));

test('the same when they are told to try again and to give up', () => {
  always(
    (seed) => ({ ...weather(seed), told: 1 + (seed % 19) }),
    (world) => void world.outcome(),
  );
});

test('in fair weather both connect without a retry', () => {
  always(
    (seed) => ({ ...fair, seed, bothInitiate: seed % 2 === 0, oldClient: seed % 3 === 0 }),
    (world) => {
      assert.equal(world.outcome(), 'connected');
      assert.ok(world.now < 6_000);
    },
  );
});

test('a link that heals connects a pair that has not given up', () => {
  always(
    (seed) => ({ ...weather(seed), healsAt: 8_000 }),
    (world) => assert.equal(world.outcome(), 'connected'),
  );
});

test('a dead link ends in two failures, in time', () => {
  always(
    (seed) => ({ ...weather(seed), loss: 100, healsAt: Infinity }),
    (world) => {
      assert.equal(world.outcome(), 'failed');
      assert.ok(world.now <= 40_000);
    },
  );
});

test('connections that never open end in two failures', () => {
  always(
    (seed) => ({ ...weather(seed), loss: 0, jitterMs: 0, wedged: 100, healsAt: Infinity }),
    (world) => {
      assert.equal(world.outcome(), 'failed');
      assert.ok(world.now <= 90_000);
    },
  );
});
