/** axe, on a page as it is once nothing on it moves any more. */
import assert from 'node:assert/strict';

import axe from 'axe-core';

/** Nothing serious or critical is found. @param {import('./app.js').Page} page @param {string} where */
export async function check(page, where) {
  await page.evaluate(axe.source);
  // In the middle of a change of colours, or of what comes into sight, there are contrasts that nobody is to read by.
  await page.evaluate(() => Promise.allSettled(document.getAnimations().map(({ finished }) => finished)));
  const violations = await page.evaluate(async () => {
    const { violations: found } = await /** @type {any} */ (window).axe.run(document, { resultTypes: ['violations'] });
    return found.map((/** @type {any} */ { id, impact, help, nodes }) => ({
      id,
      impact,
      help,
      at: nodes.map((/** @type {any} */ node) => node.target.join(' ')),
    }));
  });
  const grave = violations.filter((/** @type {any} */ { impact }) => impact === 'serious' || impact === 'critical');
  assert.deepEqual(grave, [], where);
}
