/** More tabs of one browser than HTTP/1.1 has connections for: all of them work, through one stream of events. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startApp } from './app.js';
import { relay } from './relay.js';

const TABS = 8;

/** @param {string} url @param {string} title */
async function outsider(url, title) {
  const headers = { 'Content-Type': 'application/json' };
  await fetch(`${url}/api/items/`, { method: 'POST', headers, body: JSON.stringify({ title }) });
}

/** @param {import('./app.js').Page} page @param {string} title */
const row = (page, title) => page.getByRole('heading', { name: title, exact: true });

/** @param {import('./app.js').Page} page */
const live = (page) => page.getByText('Live', { exact: true }).waitFor();

test('many tabs', async (t) => {
  const { server, tabs } = await startApp();
  const between = await relay(server);
  t.after(between.close);
  const url = `${between.url}/`;
  const first = await tabs.open(url);
  const pages = [first];
  while (pages.length < TABS) pages.push(await tabs.another(first, url));

  await t.test('all of them load and hear of what an outsider does', async () => {
    for (const page of pages) await live(page);
    await outsider(server.url, 'From outside');
    for (const page of pages) await row(page, 'From outside').waitFor();
    assert.equal(between.streams, 1, 'one stream of events for the whole browser');
  });

  await t.test('each of them makes an item, and all see it', async () => {
    for (const [i, page] of pages.entries()) {
      await page.getByLabel('Title').fill(`From tab ${i}`);
      await page.getByRole('button', { name: 'Create Item' }).click();
    }
    for (const page of pages) for (let i = 0; i < TABS; i += 1) await row(page, `From tab ${i}`).waitFor();
  });

  for (const signal of /** @type {const} */ (['SIGTERM', 'SIGKILL'])) {
    await t.test(`the server ends by ${signal} and comes back`, async () => {
      await server.stop(signal);
      for (const page of pages) await page.getByText('Not live', { exact: true }).waitFor();
      await server.start();
      await outsider(server.url, `While nobody heard, ${signal}`);
      for (const page of pages) await live(page);
      for (const page of pages) await row(page, `While nobody heard, ${signal}`).waitFor();
    });
  }

  await t.test('the tab that was there first goes, and the others hear on', async () => {
    await first.close();
    await outsider(server.url, 'After the first has gone');
    for (const page of pages.slice(1)) await row(page, 'After the first has gone').waitFor();
  });

  await t.test(
    'a server that falls silent: what waits says so, is given up with a sentence, and can be tried again',
    async () => {
      const [, page] = /** @type {[unknown, import('./app.js').Page]} */ (/** @type {unknown} */ (pages));
      between.silent = true;
      await page.getByRole('button', { name: 'Load Items' }).click();
      await page.getByText('Waiting for the server…').waitFor();
      await page.getByText('The server gave no answer. Try again in a moment.').waitFor();
      await page.getByText('Not live', { exact: true }).waitFor();
      between.silent = false;
      // The stream may be back before the user is: then the list is there already.
      const again = page.getByRole('button', { name: 'Try again' });
      await Promise.race([again.click(), again.waitFor({ state: 'detached' })]);
      await row(page, 'After the first has gone').waitFor();
      await live(page);
    },
  );
  assert.deepEqual(tabs.faults, []);
});

test('without shared workers a tab hears by a stream of its own', async () => {
  const { server, tabs } = await startApp();
  const page = await tabs.open(server.url, {}, (context) =>
    context.addInitScript(() => Reflect.deleteProperty(globalThis, 'SharedWorker')),
  );
  await live(page);
  await outsider(server.url, 'Alone');
  await row(page, 'Alone').waitFor();
  assert.equal(await page.evaluate(() => 'SharedWorker' in globalThis), false);
  assert.deepEqual(tabs.faults, []);
});
