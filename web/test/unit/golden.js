/** The golden traces, which the native peer's machines replay as well: what a pure machine does, step by step. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

/**
 * A test for each trace in this folder of `protocol/fixtures`, which has so many at least.
 * @param {string} folder
 * @param {number} atLeast
 * @param {(trace: any) => any[]} run gives back the steps as the machine does them
 */
export function replay(folder, atLeast, run) {
  const url = new URL(`../../../protocol/fixtures/${folder}/`, import.meta.url);
  const files = readdirSync(url).filter((name) => name.endsWith('.json'));
  test(`there are traces of the ${folder}`, () => assert.ok(files.length >= atLeast));
  for (const file of files) {
    const trace = JSON.parse(readFileSync(new URL(file, url), 'utf8'));
    test(`${trace.name}: ${trace.why}`, () => {
      for (const [i, step] of run(trace).entries()) assert.deepEqual(step, trace.steps[i], `step ${i}`);
    });
  }
}
