/** The admin page: who has the right sees the rooms live, and sends away, closes, revokes and drains; nobody else does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startApp } from './app.js';
import { check } from './axe.js';
import { makeKey, noTokens } from './keys.js';

/** @typedef {import('./app.js').Page} Page */

/** @param {Page} page @param {string} name */
const rows = (page, name) => page.getByRole('table', { name }).locator('tbody tr');
/** @param {Page} page @param {string} peer */
const peerRow = (page, peer) => rows(page, 'Peers in the room').filter({ has: page.getByText(peer, { exact: true }) });
const status = (/** @type {Page} */ page) => page.locator('#room-status');

test('admin', { skip: noTokens }, async (t) => {
  const key = makeKey();
  const { server, tabs } = await startApp({}, key.flags);
  const root = key.token('root', '--admin');

  /** A tab in a room. @param {string} peer @param {string} room @param {string} [sub] */
  const inside = async (peer, room, sub = peer) => {
    const token = key.token(sub, '--room', '*');
    const page = await tabs.open(`${server.url}/?room=${room}&peer=${peer}&join=1#token=${token}`);
    await status(page).getByText('Connected', { exact: true }).waitFor();
    return page;
  };

  await t.test('it asks for a token with the right for it', async () => {
    const page = await tabs.open(`${server.url}/admin`);
    const dialog = page.getByRole('dialog');
    await dialog.getByText('This server lets in only who has a token.').waitFor();
    await dialog.getByText('What is a token, and how do I get one?').click();
    await dialog.getByText('--admin').waitFor();
    await dialog.getByRole('textbox').fill(key.token('ana', '--room', '*', '--items', 'write', '--list'));
    await page.keyboard.press('Enter');
    await dialog.getByText(/^This token does not let you run the server/).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('alert').getByText('This needs a token with the right “admin”.').waitFor();
    await page.getByRole('button', { name: 'Give a token' }).click();
    await dialog.getByRole('textbox').fill(root);
    await page.keyboard.press('Enter');
    await page.getByText('There are no rooms now.').waitFor();
    await page.getByText('Takes connections').waitFor();
  });

  const page = await tabs.open(`${server.url}/admin#token=${root}`);
  await page.getByText('There are no rooms now.').waitFor();
  assert.equal(page.url(), `${server.url}/admin`);
  const [ana, ben] = [await inside('ana', 'team-1'), await inside('ben', 'team-1')];
  await inside('carla', 'team-2');

  await t.test('rooms and peers come by themselves, those with the most peers first', async () => {
    await rows(page, 'Rooms, those with the most peers first').nth(1).waitFor();
    const names = await page.getByRole('table', { name: 'Rooms' }).getByRole('rowheader').allTextContents();
    assert.deepEqual(names, ['team-1', 'team-2']);
    await page.getByLabel('Find a room').fill('-2');
    await page.getByRole('button', { name: 'team-1', exact: true }).waitFor({ state: 'detached' });
    await page.getByLabel('Find a room').fill('');
    await page.getByRole('button', { name: 'team-1', exact: true }).click();
    await page.getByRole('heading', { name: 'Peers in “team-1”' }).waitFor();
    await peerRow(page, 'ana').first().waitFor();
    assert.equal(await rows(page, 'Peers in the room').count(), 2);
    await ana.getByRole('textbox', { name: 'Broadcast' }).fill('hello');
    await ana.getByRole('button', { name: 'Broadcast' }).click();
    await ben.getByRole('article').getByText('hello').waitFor();
    await page.waitForFunction(() => {
      const cells = [...document.querySelectorAll('admin-peers tbody td.number')].map((cell) => cell.textContent ?? '');
      return cells.some((text) => /^[1-9]\d* \/ /.test(text));
    });
  });

  await t.test('axe finds nothing, light and dark, wide and on a phone', async () => {
    for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await check(page, `wide, ${colorScheme}`);
      await page.getByRole('button', { name: 'Send “ben” away' }).click();
      await check(page, `a question, ${colorScheme}`);
      await page.keyboard.press('Escape');
      await page.setViewportSize({ width: 360, height: 740 });
      await check(page, `phone, ${colorScheme}`);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `${overflow} pixels wider than the phone`);
      await page.setViewportSize({ width: 1280, height: 900 });
    }
  });

  await t.test('a peer is sent away by the keyboard, and kept out', async () => {
    await page.getByRole('button', { name: 'Send “ben” away' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('alertdialog').getByRole('heading', { name: 'Send “ben” away from “team-1”?' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('alertdialog').waitFor({ state: 'detached' });
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
    assert.equal(await focused(), 'Send “ben” away', 'back to where it was');
    await page.keyboard.press('Enter');
    await page.getByRole('alertdialog').getByLabel('It may come back').selectOption('after 10 minutes');
    await page.getByRole('alertdialog').getByRole('button', { name: 'Send away' }).press('Enter');
    await page.getByText('Sent “ben” away').waitFor();
    await peerRow(page, 'ben').waitFor({ state: 'detached' });
    await page.waitForFunction(() => document.activeElement?.getAttribute('data-do') === 'kick');
    assert.equal(await focused(), 'Send “ana” away', 'the neighbour of the row that is gone');
    await status(ben).getByText('An administrator ended the connection.').waitFor();
    await ana.getByText('ben was sent away').waitFor();
    await ben.getByRole('button', { name: 'Connect to Room' }).click();
    await ben
      .getByRole('dialog')
      .getByText('The server does not let you into the room “team-1” with this token.')
      .waitFor();
    await rows(page, 'What was done').filter({ hasText: 'ben' }).getByText('root').waitFor();
  });

  await t.test('a room is closed', async () => {
    await page.getByRole('button', { name: 'Close the room “team-1”' }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Close the room' }).click();
    await page.getByText('Closed the room “team-1”').waitFor();
    await status(ana).getByText('An administrator ended the connection.').waitFor();
    await page.getByText('Nobody is in this room.').waitFor();
    await page.getByRole('button', { name: 'team-1', exact: true }).waitFor({ state: 'detached' });
  });

  await t.test('tokens are revoked', async () => {
    const dora = await inside('dora', 'team-3');
    await page.getByRole('button', { name: 'Revoke', exact: true }).click();
    await page.getByText('Say whose, or which.').waitFor();
    await page.getByRole('button', { name: 'team-3', exact: true }).click();
    await page.getByRole('button', { name: 'Revoke the tokens of “dora”' }).click();
    await page.getByRole('alertdialog').getByRole('heading', { name: 'Revoke all tokens of “dora”?' }).waitFor();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('Revoked: dora').waitFor();
    await dora
      .getByRole('dialog')
      .getByText(/^The server does not take this token/)
      .waitFor();
    await rows(page, 'What was done').filter({ hasText: 'revoked tokens' }).getByText(/dora/).waitFor();
  });

  await t.test('in Spanish', async () => {
    await page.getByLabel('Language').selectOption('es');
    await page.getByRole('heading', { name: 'Revocar tokens' }).waitFor();
    assert.equal(await page.title(), 'grtc: administración');
    const text = await page.locator('main').innerText();
    assert.doesNotMatch(text, /Revoke|Closed?|sent away|Takes|Find/);
    await page.getByLabel('Idioma').selectOption('en');
  });

  await t.test('the server is drained, after a question', async () => {
    const carla = await inside('carla-2', 'team-2');
    await page.getByRole('button', { name: 'Drain…' }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('Takes connections').waitFor();
    await page.getByRole('button', { name: 'Drain…' }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Drain the server' }).click();
    await page.getByText('The server is being drained').waitFor();
    await page.getByText('Takes no new connections').waitFor();
    assert.ok(await page.getByRole('button', { name: 'Drain…' }).isDisabled());
    await status(carla)
      .getByText(/^The server (restarts|can’t be reached)/)
      .waitFor();
  });
  assert.deepEqual(tabs.faults, []);
});

test('a server without keys has no administration, and the page says why', { skip: noTokens }, async () => {
  const { server, tabs } = await startApp();
  const page = await tabs.open(`${server.url}/admin`);
  await page
    .getByRole('alert')
    .getByText(/^This server has no keys/)
    .waitFor();
  assert.equal(await page.getByRole('dialog').count(), 0);
  assert.deepEqual(tabs.faults, []);
});
