/** Two tabs talk while their connection is closed under them, again and again: each message is there once, in order, and no word is lost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { connectedTo, inRoom, noNetwork, startApp } from './app.js';
import { count, cut, heard, keepConnections } from './breaking.js';

/** The chat keeps 500 messages. */
const NUMBERS = 240;
const EVERY_MS = 50;
const CUTS = 6;

/** Notes each word that stands at the peer, as it changes. */
function noteStates() {
  /** @type {string[]} */
  const seen = [];
  const look = () => {
    const word = document.querySelector('room-peers .chip')?.textContent ?? '';
    if (seen.at(-1) !== word) seen.push(word);
  };
  const list = /** @type {Element} */ (document.querySelector('room-peers'));
  new MutationObserver(look).observe(list, { subtree: true, childList: true, characterData: true });
  Object.assign(window, { seen });
}

/** The browser says this of the connection that is there, one after the other; gives the words at the peer then. @param {string[]} states */
function say(states) {
  const connection = /** @type {any} */ (window).made.at(-1);
  return states.map((value) => {
    Object.defineProperty(connection, 'connectionState', { value, configurable: true });
    connection.dispatchEvent(new Event('connectionstatechange'));
    return document.querySelector('room-peers .chip')?.textContent;
  });
}

test('a pair outlives its connections', { skip: noNetwork }, async (t) => {
  const { server, tabs } = await startApp();
  const open = (/** @type {string} */ id) =>
    inRoom(tabs, server.url, id, {}, (context) => context.addInitScript(keepConnections));
  const [first, second] = [await open('tab1'), await open('tab2')];
  await connectedTo(first, 'tab2');
  await connectedTo(second, 'tab1');
  for (const page of [first, second]) await page.evaluate(noteStates);

  await t.test('each number arrives once and in order, both ways, over connections that are closed', async () => {
    for (const page of [first, second]) await page.evaluate(count, { numbers: NUMBERS, everyMs: EVERY_MS });
    for (let time = 0; time < CUTS; time += 1) {
      const [page, other, id] =
        time % 2 ? /** @type {const} */ ([first, second, 'tab1']) : /** @type {const} */ ([second, first, 'tab2']);
      await other
        .locator('.message:not(.own)')
        .nth(Math.floor((time * NUMBERS) / (CUTS + 1)))
        .waitFor();
      const had = await page.evaluate(() => /** @type {any} */ (window).made.length);
      await page.evaluate(cut);
      await page.waitForFunction(
        (before) =>
          /** @type {any} */ (window).made.length > before &&
          /** @type {any} */ (window).made.at(-1).connectionState === 'connected',
        had,
      );
      await connectedTo(other, id);
    }
    const all = Array.from({ length: NUMBERS }, (_, i) => `number ${i}`);
    for (const page of [first, second]) {
      await page
        .locator('.message:not(.own)')
        .getByText(String(all.at(-1)), { exact: true })
        .waitFor();
      assert.deepEqual(await heard(page), all);
    }
  });

  await t.test('who has sent them sees that they were delivered', async () => {
    for (const page of [first, second]) {
      await page
        .locator('.own .outcome')
        .nth(NUMBERS - 1)
        .waitFor();
      const said = await page.locator('.own .outcome').allTextContents();
      assert.deepEqual(said, Array(NUMBERS).fill('delivered'));
    }
  });

  await t.test('the peer was marked meanwhile, quietly', async () => {
    const seen = (
      await Promise.all([first, second].map((page) => page.evaluate(() => /** @type {any} */ (window).seen)))
    ).flat();
    assert.ok(seen.includes('Reconnecting'), String(seen));
    for (const page of [first, second]) {
      assert.equal(await page.locator('toast-stack .toast').count(), 0);
      await connectedTo(page, page === first ? 'tab2' : 'tab1');
    }
    assert.ok((await first.locator('room-log').getByText('The connection to tab2 is being replaced').count()) > 0);
  });

  await t.test(
    'a silence is marked, and is over when something is heard in time, or another connection is there',
    async () => {
      const made = () => first.evaluate(() => /** @type {any} */ (window).made.length);
      const had = await made();
      // In one turn: the page waits for two seconds only.
      const words = await first.evaluate(say, ['disconnected', 'connected']);
      assert.deepEqual(words, ['Interrupted', 'Connected']);
      assert.equal(await made(), had);
      assert.deepEqual(await first.evaluate(say, ['disconnected']), ['Interrupted']);
      await first.waitForFunction((before) => /** @type {any} */ (window).made.length > before, had);
      await connectedTo(first, 'tab2');
    },
  );
  assert.deepEqual(tabs.faults, []);
});
