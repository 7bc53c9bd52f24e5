/** The server is killed while an item is saved: its user is told how it stands, and there is one item in the end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventually, startApp } from './app.js';
import { relay } from './relay.js';

/** @param {import('./app.js').Page} page */
const words = (page) => page.locator('item-form saving-words');

/** The titles on the server. @param {string} url */
async function titles(url) {
  const items = await (await fetch(`${url}/api/items/`)).json();
  return items.map((/** @type {{ title: string }} */ { title }) => title);
}

/** @param {import('./app.js').Page} page @param {string} title */
async function create(page, title) {
  await page.getByLabel('Title').fill(title);
  await page.getByRole('button', { name: 'Create Item' }).click();
}

test('items wait for the server', async (t) => {
  const { server, tabs } = await startApp();
  const between = await relay(server);
  t.after(between.close);
  const page = await tabs.open(between.url);
  const expected = /** @type {string[]} */ ([]);

  await t.test('killed before it had the item', async () => {
    server.freeze();
    // That stands there for two seconds.
    await Promise.all([words(page).getByText('Saving…').waitFor(), create(page, 'Asked again')]);
    await words(page).getByText('Waiting for the server…').waitFor();
    await server.stop('SIGKILL');
    await words(page).getByText('Waiting for the server…').waitFor();
    assert.equal(await page.getByLabel('Title').inputValue(), 'Asked again', 'it is still there to be seen');
    await server.start();
    await words(page).getByText('Saved').waitFor();
    await page.getByRole('heading', { name: 'Asked again' }).waitFor();
    expected.push('Asked again');
    assert.deepEqual(await titles(server.url), expected);
  });

  await t.test('killed after it had the item, and before it said so', async () => {
    between.mute = true;
    await create(page, 'Made once');
    await words(page).getByText('Waiting for the server…').waitFor();
    expected.push('Made once');
    await eventually(() => titles(server.url), expected);
    await server.stop('SIGKILL');
    between.mute = false;
    await server.start();
    await words(page).getByText('Saved').waitFor();
    assert.deepEqual(await titles(server.url), expected);
    assert.equal(await page.getByLabel('Title').inputValue(), '');
  });

  await t.test('a change whose answer was lost is no conflict', async () => {
    await page.getByRole('button', { name: 'Edit “Made once”' }).click();
    const form = page.getByRole('form', { name: 'Edit “Made once”' });
    await form.getByLabel('Title').fill('Changed once');
    between.mute = true;
    await form.getByRole('button', { name: 'Save' }).click();
    await form.getByText('Waiting for the server…').waitFor();
    await server.stop('SIGKILL');
    between.mute = false;
    await server.start();
    await page.locator('item-row').filter({ hasText: 'Changed once' }).getByText('Saved').waitFor();
    await page.getByRole('heading', { name: 'Changed once' }).waitFor();
    assert.equal(await page.getByText('Somebody else changed this item').count(), 0);
    expected[1] = 'Changed once';
    assert.deepEqual(await titles(server.url), expected);
  });

  await t.test(
    'who does not want to wait any more is told that it may have been done, and it is not done twice',
    async () => {
      between.mute = true;
      await create(page, 'Stopped');
      await words(page).getByRole('button', { name: 'Stop waiting' }).click();
      await page.getByText('It may have been done all the same').waitFor();
      between.mute = false;
      between.cut();
      await page.getByRole('button', { name: 'Create Item' }).click();
      await words(page).getByText('Saved').waitFor();
      expected.push('Stopped');
      assert.deepEqual(await titles(server.url), expected);
    },
  );
  await t.test('a page that is loaded anew meanwhile goes on', async () => {
    await page.route('**/api/items/', async (route) => {
      if (route.request().method() !== 'POST') return route.continue();
      // It gets there, and the answer does not come.
      await route.fetch();
      await route.abort();
    });
    await create(page, 'Through a reload');
    await words(page).getByText('Waiting for the server…').waitFor();
    expected.push('Through a reload');
    await page.reload();
    await words(page).getByText('Waiting for the server…').waitFor();
    assert.equal(await page.getByLabel('Title').inputValue(), 'Through a reload');
    await page.unrouteAll({ behavior: 'wait' });
    await words(page).getByText('Saved').waitFor();
    assert.deepEqual(await titles(server.url), expected);
    await page.reload();
    await page.getByRole('heading', { name: 'Through a reload' }).waitFor();
    assert.equal(await page.getByLabel('Title').inputValue(), '');
    assert.deepEqual(await titles(server.url), expected);
  });
  assert.deepEqual(tabs.faults, []);
});
