/** A tab and a native peer find each other, whoever of the two comes first. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { connectedTo, inRoom, noNetwork, noPeer, peerRow, startApp } from './app.js';
import { count, cut, heard, keepConnections } from './breaking.js';
import { NativePeer } from './native_peer.js';

/** The chat keeps 500 messages. */
const NUMBERS = 120;
const EVERY_MS = 50;
const CUTS = 4;

test('tab and native peer', { skip: noNetwork || noPeer }, async (t) => {
  const { server, tabs } = await startApp();
  const keeping = (/** @type {import('playwright-core').BrowserContext} */ context) =>
    context.addInitScript(keepConnections);

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
    const own = page.getByRole('article').filter({ hasText: `hello from ${tab}` });
    await own.getByText('delivered', { exact: true }).waitFor();
  };

  /**
   * Both count while something breaks: each number arrives once and in order, both ways, and that is known.
   * @param {import('./app.js').Page} page
   * @param {NativePeer} peer
   * @param {(came: (share: number) => Promise<void>) => Promise<void>} breaks waits for shares of the numbers
   */
  const outlive = async (page, peer, breaks) => {
    const [before, said] = [(await heard(page)).length, peer.events.length];
    const own = await page.locator('.own').count();
    await page.evaluate(count, { numbers: NUMBERS, everyMs: EVERY_MS });
    let next = 0;
    const timer = setInterval(() => next < NUMBERS && peer.say(`number ${next++}`), EVERY_MS);
    t.after(() => clearInterval(timer));
    const came = page.locator('.message:not(.own)');
    await breaks((share) => came.nth(before + Math.floor(share * NUMBERS)).waitFor());
    await came.nth(before + NUMBERS - 1).waitFor();
    const all = Array.from({ length: NUMBERS }, (_, i) => `number ${i}`);
    assert.deepEqual((await heard(page)).slice(before), all);
    await peer.event(({ event, text }) => event === 'message' && text === all.at(-1), said);
    await peer.event(({ event }) => event === 'interrupted', said);
    await peer.event(({ event }) => event === 'recovered', said);
    const since = peer.events.slice(said);
    const texts = since.filter(({ event }) => event === 'message').map(({ text }) => text);
    assert.deepEqual(texts, all);
    const kinds = new Set(since.map(({ event }) => event));
    assert.ok(!kinds.has('disconnected'), [...kinds].join());
    await page
      .locator('.own .outcome')
      .nth(own + NUMBERS - 1)
      .waitFor();
    assert.deepEqual(new Set(await page.locator('.own .outcome').allTextContents()), new Set(['delivered']));
  };

  /** @param {import('./app.js').Page} page @returns {Parameters<typeof outlive>[2]} */
  const closing = (page) => async (came) => {
    for (let time = 0; time < CUTS; time += 1) {
      await came(time / (CUTS + 1));
      const had = await page.evaluate(() => /** @type {any} */ (window).made.length);
      await page.evaluate(cut);
      await page.waitForFunction((had) => {
        const { made } = /** @type {any} */ (window);
        return made.length > had && made.at(-1).connectionState === 'connected';
      }, had);
    }
  };

  /** The peer stands still until the tab is at work on another connection. @param {import('./app.js').Page} page @param {NativePeer} peer @returns {Parameters<typeof outlive>[2]} */
  const standing = (page, peer) => async (came) => {
    await came(0.2);
    peer.process.kill('SIGSTOP');
    await peerRow(page, 'native-b').getByText('Reconnecting', { exact: true }).waitFor();
    peer.process.kill('SIGCONT');
    const woken = Date.now();
    await connectedTo(page, 'native-b');
    // At once, or after the attempts of 4 s and of 6 s that the peer may have slept through; and the machine may be slow.
    assert.ok(Date.now() - woken < 20_000, 'it is connected 20 s after it goes on');
  };

  await t.test('the peer is there first, the tab offers', async () => {
    const peer = new NativePeer(server.address, 'native-b');
    t.after(() => peer.process.kill('SIGKILL'));
    await peer.event(({ event }) => event === 'joined');
    const page = await inRoom(tabs, server.url, 'tab-a', {}, keeping);
    await talk(page, peer, 'tab-a', 'native-b');
    await outlive(page, peer, closing(page));
    await outlive(page, peer, standing(page, peer));
    await peer.leave();
    await page.getByText('native-b left').waitFor();
    await page.close();
  });

  await t.test('the tab is there first, the peer offers', async () => {
    const page = await inRoom(tabs, server.url, 'tab-c', {}, keeping);
    const peer = new NativePeer(server.address, 'native-d');
    t.after(() => peer.process.kill('SIGKILL'));
    await talk(page, peer, 'tab-c', 'native-d');
    await outlive(page, peer, closing(page));
    await page.getByRole('button', { name: 'Leave' }).click();
    await peer.event(({ event, peer_id }) => event === 'peer_left' && peer_id === 'tab-c');
    await peer.leave();
  });
  assert.deepEqual(tabs.faults, []);
});
