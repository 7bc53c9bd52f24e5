/** Whatever happens, in whatever order: a pair that is being rebuilt comes to an end, and nobody is told to replace what is not there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Liveness, REBUILDING_MS } from '../../js/liveness.js';
import { seeded } from './world.js';

/** @typedef {import('../../js/liveness.js').Input} Input */

/** @param {(limit: number) => number} below @returns {Input} */
function anyInput(below) {
  const flag = below(2) === 0;
  /** @type {Input[]} */
  const inputs = ['negotiating', 'opened', 'silent', 'heard', 'present', 'tick'];
  inputs.push({ lost: { reason: 'lost' } }, { failed: { reason: 'failed' } }, { network: { gone: flag } });
  inputs.push({ progress: { acknowledged: below(3), waiting: flag } }, 'opened', 'silent', 'negotiating');
  return inputs[below(inputs.length)] ?? 'tick';
}

class Watched {
  machine = new Liveness();
  /** @type {number | null} */
  #since = null;

  /** @param {number} now @param {Input} input */
  feed(now, input) {
    const before = this.machine.state;
    this.machine.handle(now, input);
    for (let output = this.machine.pollOutput(); output; output = this.machine.pollOutput()) {
      if (output === 'try_again') continue;
      if ('rebuild' in output) assert.ok(before === 'open' || before === 'interrupted', 'nothing is there to replace');
      else if ('give_up' in output) assert.equal(before, 'rebuilding');
      else assert.notEqual(output.state.state, before, 'it is told at a change');
    }
    const { state } = this.machine;
    if (input === 'opened') assert.equal(state, 'open');
    const waits = state === 'interrupted' || state === 'rebuilding';
    assert.equal(this.machine.pollTimeout() !== null, waits, 'who waits has a timer');
    if (state !== 'rebuilding') this.#since = null;
    else if (this.#since === null || before !== state) this.#since = now;
    assert.ok(this.#since === null || now <= this.#since + REBUILDING_MS, 'it is given up in time');
  }

  /** @param {number} now @param {number} until @returns {number} */
  tick(now, until) {
    const due = this.machine.pollTimeout();
    if (due === null || due > until) return now;
    this.feed(Math.max(now, due), 'tick');
    return this.tick(Math.max(now, due), until);
  }
}

test('a pair is never rebuilt for too long', () => {
  for (let seed = 1; seed <= 2_000; seed += 1) {
    const random = seeded(seed);
    const below = (/** @type {number} */ limit) => Math.floor(random() * limit);
    const pair = new Watched();
    let now = 0;
    for (let step = 0; step < 60; step += 1) {
      const at = now + below(8_000);
      pair.tick(now, at);
      now = at;
      pair.feed(now, anyInput(below));
    }
    pair.tick(now, Infinity);
    assert.ok(pair.machine.state !== 'interrupted' && pair.machine.state !== 'rebuilding', `seed ${seed}`);
  }
});
