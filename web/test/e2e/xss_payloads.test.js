/** Whatever somebody writes into a title, a message or a name is text, and stays text. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { connectedTo, inRoom, noNetwork, startApp } from './app.js';

const PAYLOADS = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<svg onload=alert(1)>',
  '<svg><script>alert(1)</script></svg>',
  '<iframe src="javascript:alert(1)"></iframe>',
  '<a href="javascript:alert(1)">x</a>',
  '<body onload=alert(1)>',
  '<input autofocus onfocus=alert(1)>',
  '<details open ontoggle=alert(1)>',
  '<video><source onerror=alert(1)></video>',
  '<math><mtext><img src=x onerror=alert(1)></math>',
  '<style>*{background:url(javascript:alert(1))}</style>',
  '<link rel=stylesheet href=//evil.example/x.css>',
  '<base href=//evil.example/>',
  '<meta http-equiv=refresh content="0;url=javascript:alert(1)">',
  '<object data="javascript:alert(1)"></object>',
  '<embed src="javascript:alert(1)">',
  '<form action="javascript:alert(1)"><button>x</button></form>',
  '<template><script>alert(1)</script></template>',
  '"><script>alert(1)</script>',
  "'><img src=x onerror=alert(1)>",
  '"onmouseover="alert(1)',
  '`${alert(1)}`',
  '{{constructor.constructor("alert(1)")()}}',
  '{title}{name}{peer}',
  '&lt;script&gt;alert(1)&lt;/script&gt;',
  '<!--><script>alert(1)</script>-->',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  'javascript:alert(1)',
  '\u202e<script>alert(1)</script>',
];

test('xss payloads', { skip: noNetwork }, async (t) => {
  const { server, tabs } = await startApp();
  const name = '<img src=x onerror=alert(1)>';
  const [first, second] = [await inRoom(tabs, server.url, name), await inRoom(tabs, server.url, '"><b>tab2')];
  await connectedTo(first, '"><b>tab2');
  await connectedTo(second, name);
  const scripts = () => first.evaluate(() => document.querySelectorAll('script, iframe, object, embed, base').length);
  const before = await scripts();

  await t.test('in messages', async () => {
    for (const payload of PAYLOADS) {
      await second.getByLabel('Message', { exact: true }).fill(payload);
      await second.getByRole('button', { name: 'Send' }).click();
      await second.getByRole('textbox', { name: 'Broadcast' }).fill(payload);
      await second.getByRole('button', { name: 'Broadcast' }).click();
    }
    const shown = first.getByRole('log', { name: 'Messages' }).locator('.message p');
    await shown.nth(2 * PAYLOADS.length - 1).waitFor();
    const texts = await shown.allTextContents();
    for (const payload of PAYLOADS) assert.equal(texts.filter((text) => text === payload).length, 2, payload);
  });

  await t.test('in items', async () => {
    const headers = { 'Content-Type': 'application/json' };
    const body = JSON.stringify(PAYLOADS.map((payload) => ({ title: payload, description: payload })));
    const response = await fetch(`${server.url}/api/items/bulk`, { method: 'POST', headers, body });
    assert.equal(response.status, 201);
    const seen = new Set();
    for (let page = 1; page <= 3; page += 1) {
      await first.getByText(`${page * 10 - 9}–${page * 10} of ${PAYLOADS.length}`).waitFor({ state: 'attached' });
      for (const title of await first.locator('.item-title').allTextContents()) seen.add(title);
      for (const edit of await first.locator('[data-do="edit"]').all()) await edit.hover();
      if (page < 3) await first.getByRole('button', { name: 'Next page' }).click();
    }
    assert.deepEqual([...seen].sort(), [...PAYLOADS].sort());
  });

  await t.test('in names', async () => {
    const names = await second.locator('.peer-name').allTextContents();
    assert.deepEqual(names, [name]);
    assert.equal(await second.locator('.mesh-name').first().textContent(), `${name.slice(0, 13)}…`);
  });

  await t.test('in the address of the page', async () => {
    for (const payload of PAYLOADS) {
      const query = new URLSearchParams({ room: payload, peer: payload, join: '1' });
      await second.goto(`${server.url}/?${query}#${encodeURIComponent(payload)}`);
      await second.locator('body.ready').waitFor();
    }
  });
  assert.equal(await scripts(), before, 'no element came of it');
  assert.deepEqual(tabs.faults, []);
});
