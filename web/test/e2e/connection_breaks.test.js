/** The connection to the server breaks: a pause is noticed, and a quiet mark at the others; nothing is lost or comes twice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { inRoom, peerRow, startApp } from './app.js';
import { relay } from './relay.js';

/** @typedef {import('./app.js').Page} Page */

/** @param {Page} page @param {string} text */
async function broadcast(page, text) {
  await page.getByRole('textbox', { name: 'Broadcast' }).fill(text);
  await page.getByRole('button', { name: 'Broadcast' }).click();
  await page.getByRole('article').getByText(text, { exact: true }).waitFor();
}

/** What stands in the chat. @param {Page} page */
const chat = (page) => page.locator('room-chat article > p').allTextContents();

/** @param {Page} page @param {string} text */
const heard = (page, text) => page.getByRole('article').getByText(text, { exact: true }).waitFor();

/** @param {Page} page */
const inside = (page) => page.locator('#room-status').getByText('Connected', { exact: true }).waitFor();

/** @param {Page} page @param {string} text */
const logged = (page, text) => page.locator('room-log').getByText(text, { exact: true });

test('connection breaks', async (t) => {
  const { server, tabs } = await startApp();
  const between = await relay(server);
  t.after(between.close);
  const first = await inRoom(tabs, between.url, 'tab1');
  const second = await inRoom(tabs, server.url, 'tab2');
  await peerRow(second, 'tab1').waitFor();
  const mark = peerRow(second, 'tab1').getByText('Away from the server');

  await t.test('who is away is marked, and gets what was said meanwhile, once and in order', async () => {
    await broadcast(second, 'one');
    await heard(first, 'one');
    between.down = true;
    between.cut();
    await mark.waitFor();
    await first.getByText(/Next try in/).waitFor();
    await broadcast(second, 'two');
    await broadcast(second, 'three');
    between.down = false;
    await inside(first);
    await heard(first, 'three');
    await mark.waitFor({ state: 'detached' });
    assert.deepEqual(await chat(first), ['one', 'two', 'three']);
    await logged(first, 'The connection to the server is back; nothing was missed').waitFor();
    assert.equal(await second.locator('.toast').count(), 0, 'no pop-up');
    assert.equal(
      await logged(second, 'tab1 is away from the server')
        .or(logged(second, 'tab1 is away from the server; the channel to it goes on'))
        .count(),
      1,
    );
    assert.equal(await logged(second, 'tab1 is back at the server').count(), 1);
    assert.equal(await logged(second, 'tab1 left').count(), 0);
    assert.equal(await logged(second, 'tab1 is in the room').count(), 1);
  });

  await t.test(
    'the network is another one: a connection that is silent is replaced, with what was said over it',
    async () => {
      between.silent = true;
      await broadcast(first, 'into the silence');
      await broadcast(second, 'from beyond it');
      await first.evaluate(() => dispatchEvent(new Event('online')));
      await first.locator('#room-status').getByText('Connected', { exact: true }).waitFor({ state: 'detached' });
      between.silent = false;
      between.cut();
      await inside(first);
      await heard(second, 'into the silence');
      await heard(first, 'from beyond it');
      assert.deepEqual(await chat(first), ['one', 'two', 'three', 'into the silence', 'from beyond it']);
      assert.deepEqual(await chat(second), ['one', 'two', 'three', 'from beyond it', 'into the silence']);
    },
  );

  await t.test('who comes later reads what was said before, marked and not read out, and once', async () => {
    const third = await inRoom(tabs, between.url, 'tab3');
    await heard(third, 'into the silence');
    const said = ['one', 'two', 'three', 'from beyond it', 'into the silence'];
    assert.deepEqual((await chat(third)).sort(), said.sort());
    const earlier = third.locator('room-chat article').filter({ hasText: 'Earlier' });
    assert.equal(await earlier.count(), 5);
    for (const article of await earlier.all()) assert.equal(await article.getAttribute('aria-live'), 'off');
    assert.equal(await third.title(), 'grtc: items and rooms', 'nothing of it is new');
    await broadcast(second, 'now');
    await heard(third, 'now');
    assert.equal(await third.locator('room-chat article').filter({ hasText: 'now' }).getAttribute('aria-live'), null);
    await third.getByRole('button', { name: 'Leave' }).click();
    await logged(second, 'tab3 left').waitFor();
    await third.getByRole('button', { name: 'Connect to Room' }).click();
    await inside(third);
    await broadcast(second, 'last');
    await heard(third, 'last');
    assert.equal((await chat(third)).length, 7);
  });

  assert.deepEqual(tabs.faults, []);
});

test('a name and a colour', async (t) => {
  const { server, tabs } = await startApp();
  const first = await inRoom(tabs, server.url, 'tab1');
  const second = await inRoom(tabs, server.url, 'tab2');
  await peerRow(second, 'tab1').waitFor();
  const red = 'rgb(198, 47, 59)';
  /** Rows are made anew as their peers change: the colour is looked at in the page itself. */
  const coloured = (/** @type {Page} */ page) =>
    page.waitForFunction((wanted) => {
      const rows = [...document.querySelectorAll('room-peers li')];
      const avatar = rows.find((row) => row.textContent?.includes('tab1'))?.querySelector('.avatar');
      return avatar && getComputedStyle(avatar).backgroundColor === wanted;
    }, red);

  await t.test('are seen by who is there and by who comes later, beside the id', async () => {
    await first.getByLabel('My name').fill('Ana');
    await first.getByLabel('My colour').selectOption('Red');
    await peerRow(second, 'tab1').getByText('Ana', { exact: true }).waitFor();
    await first.waitForFunction((wanted) => {
      const own = document.querySelector('.mesh-node.me circle');
      return own && getComputedStyle(own).fill === wanted;
    }, red);
    const third = await inRoom(tabs, server.url, 'tab3');
    for (const page of [second, third]) {
      await peerRow(page, 'tab1').getByText('Ana', { exact: true }).waitFor();
      await coloured(page);
    }
    await broadcast(first, 'hello');
    await heard(third, 'hello');
    const article = third.getByRole('article').filter({ hasText: 'hello' });
    await article.getByText('Ana', { exact: true }).waitFor();
    await article.getByText('tab1', { exact: true }).waitFor();
  });

  await t.test('are there again after the page was loaded anew, and after the server was', async () => {
    await first.reload();
    await inside(first);
    assert.equal(await first.getByLabel('My name').inputValue(), 'Ana');
    await peerRow(second, 'tab1').getByText('Ana', { exact: true }).waitFor();
    await server.stop('SIGKILL');
    await first.getByText(/Next try in/).waitFor();
    await server.start();
    const fourth = await inRoom(tabs, server.url, 'tab4');
    await peerRow(fourth, 'tab1').getByText('Ana', { exact: true }).waitFor();
    await coloured(fourth);
  });

  await t.test('can be taken back, and what is no name is said to be none', async () => {
    await first.getByLabel('My name').fill('a/b');
    await first.getByLabel('My name').blur();
    await first.getByText('A name can’t contain this character: U+002F.').waitFor();
    await first.getByLabel('My name').fill('');
    await first.getByLabel('My colour').selectOption('None');
    await peerRow(second, 'tab1').getByText('Ana', { exact: true }).waitFor({ state: 'detached' });
  });
  assert.deepEqual(tabs.faults, []);
});
