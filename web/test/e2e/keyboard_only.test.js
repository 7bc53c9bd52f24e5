/** Everything can be done with the keyboard, and the focus is always somewhere that makes sense. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { connectedTo, eventually, inRoom, noNetwork, startApp } from './app.js';

/** @typedef {import('./app.js').Page} Page */

/** What has the focus: its label, its name or its text. @param {Page} page */
const focused = (page) =>
  page.evaluate(() => {
    const element = /** @type {any} */ (document.activeElement);
    return element.getAttribute('aria-label') ?? element.labels?.[0]?.textContent ?? element.textContent.trim();
  });

/** Presses Tab until this has the focus. @param {Page} page @param {string | RegExp} name @param {string} [key] */
async function tabTo(page, name, key = 'Tab') {
  /** @type {string[]} */
  const passed = [];
  for (let i = 0; i < 80; i += 1) {
    const now = await focused(page);
    if (typeof name === 'string' ? now === name : name.test(now)) return;
    passed.push(now);
    await page.keyboard.press(key);
  }
  assert.fail(`${name} was not reached: ${passed.join(' · ')}`);
}

test('keyboard only', async (t) => {
  const { server, tabs } = await startApp();
  const page = await tabs.open(server.url);

  await t.test('the first stop skips the bar', async () => {
    await page.keyboard.press('Tab');
    assert.equal(await focused(page), 'Skip to the content');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    assert.equal(await focused(page), 'Title');
  });

  await t.test('creates two items', async () => {
    for (const title of ['One', 'Two']) {
      await page.keyboard.type(title);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: title, exact: true }).waitFor();
      // The list may hear of it before the form has its answer.
      await eventually(() => page.getByLabel('Title').inputValue(), '');
      assert.equal(await focused(page), 'Title', 'ready for the next one');
    }
  });

  await t.test('edits one, and comes back to where it was', async () => {
    await tabTo(page, 'Edit “Two”');
    await page.keyboard.press('Enter');
    assert.equal(await focused(page), 'Title');
    await page.keyboard.type('Three');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Three' }).waitFor();
    assert.equal(await focused(page), 'Edit “Three”');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Escape');
    assert.equal(await focused(page), 'Edit “Three”');
  });

  await t.test('deletes one, and takes it back with Ctrl+Z', async () => {
    await tabTo(page, 'Delete “Three”');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Three' }).waitFor({ state: 'detached' });
    assert.equal(await focused(page), 'Delete “One”');
    await page.keyboard.press('Control+z');
    await page.getByRole('heading', { name: 'Three' }).waitFor();
    assert.equal(await focused(page), 'Delete “Three”');
  });

  await t.test('goes into a room, writes, and leaves', { skip: noNetwork }, async () => {
    const other = await inRoom(tabs, server.url, 'tab2');
    await tabTo(page, 'Room');
    await page.keyboard.press('Control+a');
    await page.keyboard.type('room1');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Control+a');
    await page.keyboard.type('tab1');
    await page.keyboard.press('Enter');
    await connectedTo(page, 'tab2');
    assert.equal(await focused(page), 'Leave');
    await tabTo(page, 'Write to tab2');
    await page.keyboard.press('Enter');
    assert.equal(await focused(page), 'Message');
    await page.keyboard.type('typed');
    await page.keyboard.press('Enter');
    await other.getByRole('article').filter({ hasText: 'typed' }).waitFor();
    assert.equal(await focused(page), 'Message');
    await tabTo(page, 'Leave', 'Shift+Tab');
    await page.keyboard.press('Enter');
    assert.equal(await focused(page), 'Room');
  });
  assert.deepEqual(tabs.faults, []);
});
