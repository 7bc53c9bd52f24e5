/** A page whose scripts do not run is not blank: it says what is the matter, in both languages. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startApp } from './app.js';

const EN = 'The scripts of this page are not there yet';
const ES = 'Los programas de esta página aún no llegaron';

/** @param {string} name @param {(route: import('playwright-core').Route) => unknown} answer */
const refuse = (name, answer) => (/** @type {import('playwright-core').BrowserContext} */ context) =>
  context.route(`**/static/**/${name}`, (route) => void answer(route));
const forbidden = (/** @type {import('playwright-core').Route} */ route) =>
  route.fulfill({ status: 403, contentType: 'application/problem+json', body: '{}' });

test('without scripts', async (t) => {
  const { server, tabs } = await startApp();

  for (const [what, prepare] of /** @type {const} */ ([
    ['the first module is refused', refuse('main.js', forbidden)],
    ['a module that another one needs is refused', refuse('item_store.js', forbidden)],
    ['every script is refused', refuse('*.js', forbidden)],
    ['a module never comes', refuse('room.js', () => {})],
    ['a module breaks', refuse('i18n.js', (route) => route.fulfill({ contentType: 'text/javascript', body: '(' }))],
    ['the words are refused', refuse('en.json', forbidden)],
  ])) {
    await t.test(what, async () => {
      const page = await tabs.openRaw(server.url, {}, prepare);
      for (const text of [EN, ES]) await page.getByText(text).waitFor();
      await page.context().close();
    });
  }

  await t.test('the visitor’s browser runs no scripts', async () => {
    const page = await tabs.openRaw(server.url, { javaScriptEnabled: false });
    for (const text of ['This page needs JavaScript.', 'Esta página necesita JavaScript.']) {
      await page.locator('noscript p', { hasText: text }).waitFor();
    }
    assert.ok(await page.getByText(EN).isHidden());
    await page.context().close();
  });

  await t.test('a page that starts does not say so', async () => {
    const page = await tabs.open(server.url);
    assert.ok(await page.getByText(EN).isHidden());
  });
});
