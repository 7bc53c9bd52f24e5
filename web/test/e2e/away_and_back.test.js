/** A page that is left by a link and come back to is in its room as it says; the others see it leave once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { connectedTo, eventually, inRoom, noNetwork, peerRow, startApp } from './app.js';

/** @param {import('./app.js').Page} page @param {string} text */
const logged = (page, text) => page.locator('room-log').getByText(text, { exact: true });

/**
 * Not `goBack`: that waits for a page that is loaded. And not before the call has its answer, which would be lost with the page.
 * @param {import('./app.js').Page} page
 */
const back = (page) => page.evaluate(() => void setTimeout(() => history.back()));

/** What the browser says of a page that it did not keep. @param {import('./app.js').Page} page @returns {Promise<string>} */
const whyNotKept = (page) =>
  page.evaluate(() => JSON.stringify(performance.getEntriesByType('navigation')[0]?.toJSON().notRestoredReasons));

/**
 * Chromium keeps a page with a shared worker only while another tab has that worker too.
 * @param {import('./app.js').Tabs} tabs @param {import('./app.js').Page} page @param {string} url
 */
const anotherTab = async (tabs, page, url) => {
  await tabs.another(page, url);
  await page.bringToFront();
};

for (const kept of [true, false]) {
  const how = kept ? 'kept in the browser’s memory' : 'loaded anew';
  // Playwright switches this memory off unless told otherwise.
  const options = kept ? { ignoreDefaultArgs: ['--disable-back-forward-cache'] } : {};

  test(`away and back, ${how}`, { skip: noNetwork }, async () => {
    const { server, tabs } = await startApp(options);
    const second = await inRoom(tabs, server.url, 'tab2');
    const first = await tabs.open(`${server.url}/#room`);
    if (kept) await anotherTab(tabs, first, server.url);
    await first.getByLabel('My peer id').fill('tab1');
    await first.getByRole('button', { name: 'Connect to Room' }).click();

    for (const times of [1, 2]) {
      await connectedTo(first, 'tab2');
      await connectedTo(second, 'tab1');
      await first.getByRole('link', { name: 'The API behind this page' }).click();
      await first.waitForURL(/docs/);
      await peerRow(second, 'tab1').waitFor({ state: 'detached' });
      assert.equal(await logged(second, 'tab1 left').count(), times);
      await back(first);
      await first.locator('#room-status').getByText('Connected', { exact: true }).waitFor();
      await connectedTo(first, 'tab2');
      await connectedTo(second, 'tab1');
      await first.getByText('Live', { exact: true }).waitFor({ state: 'attached' });
      assert.equal(await logged(second, 'tab1 is in the room').count(), times + 1);
    }
    await first.getByRole('button', { name: 'Leave' }).click();
    await first.getByRole('link', { name: 'The API behind this page' }).click();
    await first.waitForURL(/docs/);
    await back(first);
    await first.locator('#room-status').getByText('Not connected').waitFor();
    assert.deepEqual(tabs.faults, []);
  });
}

test('a page alone in its room comes out of the browser’s memory with all that was on it', async () => {
  const { server, tabs } = await startApp({ ignoreDefaultArgs: ['--disable-back-forward-cache'] });
  const page = await inRoom(tabs, server.url, 'tab1');
  await anotherTab(tabs, page, server.url);
  await page.locator('#room-status').getByText('Connected', { exact: true }).waitFor();
  await page.evaluate(() => addEventListener('pageshow', ({ persisted }) => (document.title = `kept: ${persisted}`)));
  await page.getByRole('link', { name: 'The API behind this page' }).click();
  await page.waitForURL(/docs/);
  await eventually(async () => (await (await fetch(`${server.url}/rooms`)).json()).total, 0);
  await back(page);
  await page.locator('#room-status').getByText('Connected', { exact: true }).waitFor();
  const peers = await (await fetch(`${server.url}/rooms/room1/peers`)).json();
  assert.deepEqual(peers.peers, ['tab1']);
  await page.getByText('Live', { exact: true }).waitFor({ state: 'attached' });
  assert.equal(await page.title(), 'kept: true', await whyNotKept(page));
  assert.deepEqual(tabs.faults, []);
});
