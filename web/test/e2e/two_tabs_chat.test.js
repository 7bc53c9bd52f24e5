/** Two tabs talk directly, and through the server, and the page shows which is which. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { connectedTo, inRoom, noNetwork, peerRow, startApp } from './app.js';

test('two tabs chat', { skip: noNetwork }, async (t) => {
  const { server, tabs } = await startApp();
  const first = await inRoom(tabs, server.url, 'tab1');
  await first.getByText('You are the first one here').waitFor();
  await first.getByText('grtc-peer join room1').waitFor();
  const second = await inRoom(tabs, server.url, 'tab2');
  await connectedTo(first, 'tab2');
  await connectedTo(second, 'tab1');

  await t.test('each sees the path to the other', async () => {
    await peerRow(first, 'tab2')
      .getByText(/Direct.*UDP.*ms/)
      .waitFor();
    await first.getByRole('img', { name: 'The mesh: 1 of 1 peer connected' }).waitFor();
  });

  await t.test('a message to all arrives, once', async () => {
    await first.getByLabel('Message', { exact: true }).fill('hello over P2P');
    await first.getByRole('button', { name: 'Send' }).click();
    const message = second
      .getByRole('log', { name: 'Messages' })
      .getByRole('article')
      .filter({ hasText: 'hello over P2P' });
    await message.getByText('directly').waitFor();
    assert.equal(await message.count(), 1);
    assert.equal(await message.locator('.from').textContent(), 'tab1');
    const own = first.getByRole('article').filter({ hasText: 'hello over P2P' });
    await own.getByText('You').waitFor();
    await own.getByText('delivered', { exact: true }).waitFor();
  });

  await t.test('a message to one goes to the peer that is chosen in the list', async () => {
    await second.getByRole('button', { name: 'Write to tab1' }).click();
    assert.equal(await second.getByLabel('To', { exact: true }).inputValue(), 'tab1');
    await second.keyboard.type('just for you');
    await second.keyboard.press('Enter');
    await first.getByRole('article').filter({ hasText: 'just for you' }).waitFor();
  });

  await t.test('a broadcast comes through the server and says so', async () => {
    await first.getByRole('textbox', { name: 'Broadcast through the server' }).fill('to everybody');
    await first.getByRole('button', { name: 'Broadcast' }).click();
    await second.getByRole('article').filter({ hasText: 'to everybody' }).getByText('through the server').waitFor();
  });

  await t.test('what is too long stays in its field, with the reason', async () => {
    const field = first.getByLabel('Message', { exact: true });
    await field.fill('x'.repeat(262_145));
    await first.getByText('262,145 of 262,144 bytes').waitFor();
    await first.getByRole('button', { name: 'Send' }).click();
    await first.getByText('That is too long: a message has at most 262,144 bytes here.').waitFor();
    assert.equal((await field.inputValue()).length, 262_145);
    await field.fill('x'.repeat(262_144));
    await first.getByRole('button', { name: 'Send' }).click();
    await second
      .getByRole('article')
      .filter({ hasText: 'x'.repeat(1_000) })
      .waitFor();
  });

  await t.test('what one receiver can not take goes to the others, and its sender is told by name', async () => {
    const third = await inRoom(tabs, server.url, 'small', {}, async (context) => {
      // A page without streams, whose browser takes less than others.
      const body = 'export const withStreams = (_, sdp) => sdp; export const namesStreams = () => false;';
      await context.route('**/js/description.js', (route) => route.fulfill({ contentType: 'text/javascript', body }));
      await context.addInitScript(() => {
        const { get } = /** @type {any} */ (
          Object.getOwnPropertyDescriptor(RTCPeerConnection.prototype, 'localDescription')
        );
        Object.defineProperty(RTCPeerConnection.prototype, 'localDescription', {
          get() {
            const description = get.call(this);
            return description && { sdp: description.sdp.replace(/(max-message-size:)\d+/, '$116384') };
          },
        });
      });
    });
    await connectedTo(third, 'tab1');
    await connectedTo(first, 'small');
    const text = `${'ß'.repeat(8_192)}!`;
    await first.getByLabel('Message', { exact: true }).fill(text);
    await first.getByText('16,385 of 16,384 bytes').waitFor();
    await first.getByRole('button', { name: 'Send' }).click();
    await first.getByText('small takes at most 16,384 bytes: this message did not go there.').waitFor();
    await first.getByText('A message was too long for small').waitFor();
    await second.getByRole('article').filter({ hasText: text }).waitFor();
    await first.getByLabel('Message', { exact: true }).fill('short');
    await first.getByRole('button', { name: 'Send' }).click();
    await third.getByRole('article').filter({ hasText: 'short' }).waitFor();
    assert.equal(await third.locator('article.p2p').count(), 1);
    await third.getByRole('button', { name: 'Leave' }).click();
    await third.context().close();
  });

  await t.test('a tab that is loaded anew comes back as itself', async () => {
    await second.reload();
    await first.getByText('tab2 left').waitFor();
    await connectedTo(second, 'tab1');
    await connectedTo(first, 'tab2');
  });

  await t.test('who leaves is gone from the list', async () => {
    await second.getByRole('button', { name: 'Leave' }).click();
    await first.getByText('tab2 left').nth(1).waitFor();
    await first.getByText('You are the first one here').waitFor();
    await second.getByRole('button', { name: 'Connect to Room' }).waitFor();
  });

  await t.test('an id that is taken is said at its field, with one that is free', async () => {
    await second.getByLabel('My peer id').fill('tab1');
    await second.getByRole('button', { name: 'Connect to Room' }).click();
    await second.getByText('Somebody in this room has this id already.').waitFor();
    await second.getByRole('button', { name: 'Connect as “tab1-2”' }).click();
    await connectedTo(first, 'tab1-2');
  });
  assert.deepEqual(tabs.faults, []);
});
