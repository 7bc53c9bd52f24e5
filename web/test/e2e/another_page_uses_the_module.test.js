/** Somebody else's page, from another port, imports the client module and meets a tab in a room. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';

import { connectedTo, inRoom, noNetwork, startApp } from './app.js';

const PAGE = `<!doctype html><html lang="en"><title>another page</title><body class="ready">Another page</body></html>`;

test('another page uses the module', { skip: noNetwork }, async (t) => {
  const { server, tabs } = await startApp();
  const elsewhere = createServer((_, response) => response.setHeader('Content-Type', 'text/html').end(PAGE));
  elsewhere.listen(0, '127.0.0.1');
  await once(elsewhere, 'listening');
  t.after(() => elsewhere.close());
  const { port } = /** @type {import('node:net').AddressInfo} */ (elsewhere.address());

  const tab = await inRoom(tabs, server.url, 'tab1');
  const other = await tabs.open(`http://127.0.0.1:${port}/`);
  await other.evaluate(async (url) => {
    const { Room } = await import(`${url}/static/js/grtc.js`);
    const room = new Room({ server: url, room: 'room1', peerId: 'elsewhere' });
    const heard = /** @type {string[]} */ ([]);
    room.on('message', (/** @type {any} */ { from, text }) => heard.push(`${from}: ${text}`));
    Object.assign(window, { room, heard });
    room.join();
  }, server.url);
  await connectedTo(tab, 'elsewhere');
  await tab.getByLabel('Message', { exact: true }).fill('hello over there');
  await tab.getByRole('button', { name: 'Send' }).click();
  await other.waitForFunction(() => /** @type {any} */ (window).heard.includes('tab1: hello over there'));
  assert.deepEqual(await other.evaluate(() => /** @type {any} */ (window).room.send('hello back')), ['tab1']);
  await tab.getByRole('article').filter({ hasText: 'hello back' }).waitFor();
  await other.evaluate(() => /** @type {any} */ (window).room.leave());
  await tab.getByText('elsewhere left').waitFor();
  assert.deepEqual(tabs.faults, []);
});
