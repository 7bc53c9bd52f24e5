/**
 * Takes the pictures of the page: `docs/images/page.png`, or, with a folder as its argument, the page in every
 * language, theme and width into that folder.
 */
import { join } from 'node:path';

import { Server, Tabs, connectedTo, inRoom } from './e2e/app.js';

const folder = process.argv[2];
const target = new URL('../../docs/images/page.png', import.meta.url).pathname;

const server = await new Server().start();
const tabs = await Tabs.launch();
try {
  await makeItems(server.url);
  const names = ['lucía', 'kenji', 'ada'];
  const desktop = { viewport: { width: 1320, height: 1080 }, deviceScaleFactor: 1.5 };
  const [first, second, ada] = [
    await inRoom(tabs, server.url, 'lucía'),
    await inRoom(tabs, server.url, 'kenji'),
    await inRoom(tabs, server.url, 'ada', desktop),
  ];
  for (const name of names.slice(0, 2)) await connectedTo(ada, name);
  await introduce(first, 'Lucía Ferrer', 'Yellow');
  await introduce(second, '', 'Violet');
  await introduce(ada, 'Ada', 'Green');
  await talk(first, 'Are we connected directly?');
  await talk(ada, 'Yes, the server has not seen a word of this.');
  await second.getByLabel('Broadcast through the server').last().fill('Lunch in ten minutes');
  await second.getByRole('button', { name: 'Broadcast' }).click();
  await ada.getByText('Lunch in ten minutes').waitFor();
  await ada.locator('room-peers .rtt').first().filter({ hasText: 'ms' }).waitFor();
  await ada.locator('.toast').waitFor({ state: 'detached' });
  await ada.evaluate(() => scrollTo(0, 0));
  if (folder) await everyLook(ada, folder);
  else await ada.screenshot({ path: target });
} finally {
  await tabs.close();
  await server.remove();
}

/** @param {string} url */
async function makeItems(url) {
  const items = [
    {
      title: 'Book the train to Valencia',
      description: 'Two seats, by the window if there are any left.',
      status: 'pending',
    },
    { title: 'Water the plants', status: 'inactive' },
    { title: 'Write the release notes', description: 'What changed, what to do about it, and thanks.' },
    { title: 'Review the signaling tests', description: 'The restart scenario first.', status: 'pending' },
    { title: 'Call the electrician' },
  ];
  const headers = { 'Content-Type': 'application/json' };
  const response = await fetch(`${url}/api/items/bulk`, { method: 'POST', headers, body: JSON.stringify(items) });
  if (!response.ok) throw new Error(await response.text());
}

/** @param {import('playwright-core').Page} page @param {string} name @param {string} color */
async function introduce(page, name, color) {
  await page.getByLabel('My name').fill(name);
  await page.getByLabel('My colour').selectOption(color);
}

/** @param {import('playwright-core').Page} page @param {string} text */
async function talk(page, text) {
  await page.getByLabel('Message', { exact: true }).fill(text);
  await page.getByRole('button', { name: 'Send' }).click();
  await page.getByRole('log', { name: 'Messages' }).getByText(text).waitFor();
}

/** @param {import('playwright-core').Page} page @param {string} into */
async function everyLook(page, into) {
  for (const language of ['en', 'es']) {
    await page.locator('page-settings select').first().selectOption(language);
    for (const theme of ['light', 'dark']) {
      await page.locator('page-settings select').last().selectOption(theme);
      await page.setViewportSize({ width: 1320, height: 1000 });
      await page.screenshot({ path: join(into, `${language}-${theme}.png`), fullPage: true });
      await page.setViewportSize({ width: 390, height: 844 });
      for (const section of ['items', 'room']) {
        await page.locator(`.sections a[href="#${section}"]`).click();
        await page.screenshot({ path: join(into, `${language}-${theme}-phone-${section}.png`), fullPage: true });
      }
    }
  }
}
