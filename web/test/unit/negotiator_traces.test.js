/** The golden traces that the native peer's negotiator replays as well. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

import { Negotiator } from '../../js/negotiator.js';

const folder = new URL('../../../protocol/fixtures/negotiation/', import.meta.url);

const files = readdirSync(folder).filter((name) => name.endsWith('.json'));

test('there are traces', () => assert.ok(files.length > 0));

for (const file of files) {
  const trace = JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
  test(`${trace.name}: ${trace.why}`, () => {
    const machine = new Negotiator(trace);
    for (const [i, step] of trace.steps.entries()) {
      machine.handle(step.now, step.input);
      const actions = [];
      for (let action = machine.pollAction(); action; action = machine.pollAction()) actions.push(action);
      const at = `step ${i}: ${JSON.stringify(step.input)}`;
      assert.deepEqual(actions, step.actions, at);
      assert.equal(machine.pollTimeout(), step.timeout ?? null, at);
    }
  });
}
