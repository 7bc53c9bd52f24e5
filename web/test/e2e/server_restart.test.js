/** The server goes away and comes back: the tabs go on talking meanwhile, come back by themselves, and say so. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { connectedTo, inRoom, noNetwork, peerRow, startApp } from './app.js';

/** @param {import('./app.js').Page} from @param {import('./app.js').Page} to @param {string} text */
async function talk(from, to, text) {
  await from.getByLabel('Message', { exact: true }).fill(text);
  await from.getByRole('button', { name: 'Send' }).click();
  await to.getByRole('article').filter({ hasText: text }).waitFor();
}

test('server restart', { skip: noNetwork }, async (t) => {
  const { server, tabs } = await startApp();
  const [first, second] = [await inRoom(tabs, server.url, 'tab1'), await inRoom(tabs, server.url, 'tab2')];
  await connectedTo(first, 'tab2');
  await connectedTo(second, 'tab1');

  for (const signal of /** @type {const} */ (['SIGTERM', 'SIGKILL'])) {
    await t.test(`after ${signal}`, async () => {
      await server.stop(signal);
      await first.getByText(/Next try in/).waitFor();
      await second.getByText(/Next try in/).waitFor();
      assert.ok(await first.getByRole('button', { name: 'Broadcast' }).isDisabled());
      await talk(first, second, `while it is down, ${signal}`);
      await server.start();
      for (const page of [first, second]) {
        await page
          .getByRole('button', { name: 'Try now' })
          .click({ timeout: 1_000 })
          .catch(() => {});
        await page.locator('#room-status').getByText('Connected', { exact: true }).waitFor();
      }
      await talk(second, first, `after it is back, ${signal}`);
      await peerRow(first, 'tab2').getByText('Connected', { exact: true }).waitFor();
      await peerRow(second, 'tab1').getByText('Connected', { exact: true }).waitFor();
    });
  }

  await t.test('the log says what happened, and that no channel broke', async () => {
    const log = first.getByRole('log', { name: 'Events in the room' });
    await log
      .getByText(/Back in room1 as tab1 after the connection to the server was lost/)
      .first()
      .waitFor();
    assert.equal(await log.getByText('The connection to tab2 is being replaced').count(), 0);
    assert.equal(await log.getByText('Connected to tab2', { exact: true }).count(), 1);
  });

  await t.test('items are live again', async () => {
    await first.getByText('Live', { exact: true }).waitFor();
    const headers = { 'Content-Type': 'application/json' };
    await fetch(`${server.url}/api/items/`, { method: 'POST', headers, body: '{"title":"After the restart"}' });
    await first.getByText('After the restart').waitFor({ state: 'attached' });
  });
  assert.deepEqual(tabs.faults, []);
});
