/** A tab and a native peer find each other, whoever of the two comes first. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { connectedTo, inRoom, noNetwork, noPeer, peerRow, startApp } from './app.js';
import { NativePeer } from './native_peer.js';

test('tab and native peer', { skip: noNetwork || noPeer }, async (t) => {
  const { server, tabs } = await startApp();

  /** @param {import('./app.js').Page} page @param {NativePeer} peer @param {string} tab @param {string} id */
  const talk = async (page, peer, tab, id) => {
    await connectedTo(page, id);
    await peer.event(({ event, peer_id }) => event === 'connected' && peer_id === tab);
    await page.getByLabel('Message', { exact: true }).fill(`hello from ${tab}`);
    await page.getByRole('button', { name: 'Send' }).click();
    const heard = await peer.event(({ event, text }) => event === 'message' && text === `hello from ${tab}`);
    assert.equal(heard.from, tab);
    assert.equal(heard.via, 'p2p');
    peer.say(`hello from ${id}`);
    const message = page.getByRole('article').filter({ hasText: `hello from ${id}` });
    await message.getByText('directly').waitFor();
    assert.equal(await message.count(), 1);
    await peerRow(page, id).getByText(/UDP/).waitFor();
  };

  await t.test('the peer is there first, the tab offers', async () => {
    const peer = new NativePeer(server.address, 'native-b');
    t.after(() => peer.process.kill('SIGKILL'));
    await peer.event(({ event }) => event === 'joined');
    const page = await inRoom(tabs, server.url, 'tab-a');
    await talk(page, peer, 'tab-a', 'native-b');
    await peer.leave();
    await page.getByText('native-b left').waitFor();
    await page.close();
  });

  await t.test('the tab is there first, the peer offers', async () => {
    const page = await inRoom(tabs, server.url, 'tab-c');
    const peer = new NativePeer(server.address, 'native-d');
    t.after(() => peer.process.kill('SIGKILL'));
    await talk(page, peer, 'tab-c', 'native-d');
    await page.getByRole('button', { name: 'Leave' }).click();
    await peer.event(({ event, peer_id }) => event === 'peer_left' && peer_id === 'tab-c');
    await peer.leave();
  });
  assert.deepEqual(tabs.faults, []);
});
