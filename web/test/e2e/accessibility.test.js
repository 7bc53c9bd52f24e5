/** axe finds nothing serious or critical: empty and full, light and dark, wide and on a phone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { connectedTo, inRoom, noNetwork, startApp } from './app.js';
import { check } from './axe.js';

test('accessibility', async (t) => {
  const { server, tabs } = await startApp();

  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    await t.test(`an empty page, ${colorScheme}`, async () => {
      const page = await tabs.open(server.url, { colorScheme, reducedMotion: 'reduce' });
      await page.getByText('No items yet').waitFor();
      await check(page, 'empty');
    });
  }

  await t.test('a full page', { skip: noNetwork }, async () => {
    const other = await inRoom(tabs, server.url, 'tab2');
    await other.getByLabel('My name').fill('Ana');
    await other.getByLabel('My colour').selectOption('Yellow');
    await other.getByLabel('Title').fill('An item');
    await other.getByLabel('Title').press('Enter');
    for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
      const page = await inRoom(tabs, server.url, `tab-${colorScheme}`, { colorScheme, reducedMotion: 'reduce' });
      await connectedTo(page, 'tab2');
      await connectedTo(other, `tab-${colorScheme}`);
      await other.getByLabel('Message', { exact: true }).fill('hello');
      await other.getByRole('button', { name: 'Send' }).click();
      await page.getByRole('article').getByText('hello').waitFor();
      // In the second round the first one stands there as said earlier.
      await other.getByRole('textbox', { name: 'Broadcast' }).fill(`to all, ${colorScheme}`);
      await other.getByRole('button', { name: 'Broadcast' }).click();
      await page.getByRole('article').getByText(`to all, ${colorScheme}`).waitFor();
      await page.getByRole('button', { name: 'Create Item' }).click();
      await page.getByText('An item needs a title.').waitFor();
      await check(page, `wide, ${colorScheme}`);
      await page.getByRole('button', { name: /^Edit/ }).first().click();
      await check(page, `editing, ${colorScheme}`);
      await page.setViewportSize({ width: 360, height: 740 });
      for (const section of ['Items', 'Room']) {
        await page.getByRole('navigation', { name: 'Sections' }).getByText(section).click();
        await check(page, `phone, ${section}, ${colorScheme}`);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(overflow <= 0, `${section} is ${overflow} pixels wider than the phone`);
      }
    }
  });
  assert.deepEqual(tabs.faults, []);
});
