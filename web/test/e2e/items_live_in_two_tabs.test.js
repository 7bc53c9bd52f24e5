/** What one user does to the items, another one sees at once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventually, startApp } from './app.js';

/** @param {import('./app.js').Page} page @param {string} title */
const row = (page, title) =>
  page.locator('item-row').filter({ has: page.getByRole('heading', { name: title, exact: true }) });

test('items live in two tabs', async (t) => {
  const { server, tabs } = await startApp();
  const [first, second] = [await tabs.open(server.url), await tabs.open(server.url)];
  await second.getByText('No items yet').waitFor();
  for (const page of [first, second]) await page.getByText('Live', { exact: true }).waitFor();

  await t.test('created', async () => {
    await first.getByLabel('Title').fill('Buy milk');
    await first.getByLabel('Description').fill('Two litres');
    await first.getByRole('button', { name: 'Create Item' }).click();
    await row(second, 'Buy milk').getByText('Two litres').waitFor();
    await row(first, 'Buy milk').waitFor();
    await eventually(() => first.getByLabel('Title').inputValue(), '');
  });

  await t.test('edited', async () => {
    await row(first, 'Buy milk').getByRole('button', { name: 'Edit' }).click();
    const form = first.getByRole('form', { name: 'Edit “Buy milk”' });
    await form.getByLabel('Title').fill('Buy oat milk');
    await form.getByLabel('Status').selectOption('pending');
    await form.getByRole('button', { name: 'Save' }).click();
    await row(second, 'Buy oat milk').getByText('Pending').waitFor();
  });

  await t.test('edited by both: the second one is told', async () => {
    await row(first, 'Buy oat milk').getByRole('button', { name: 'Edit' }).click();
    await row(second, 'Buy oat milk').getByRole('button', { name: 'Edit' }).click();
    await first.getByRole('form', { name: /Edit/ }).getByLabel('Title').fill('First');
    await first.getByRole('button', { name: 'Save' }).click();
    await row(first, 'First').waitFor();
    const form = second.getByRole('form', { name: /Edit/ });
    await form.getByLabel('Title').fill('Second');
    await form.getByRole('button', { name: 'Save' }).click();
    await second.getByText('Somebody else changed this item in the meantime.').waitFor();
    await form.getByRole('button', { name: 'Save' }).click();
    await row(first, 'Second').waitFor();
  });

  await t.test('counted in the background', async () => {
    await row(first, 'Second').getByRole('button', { name: 'Count the words' }).click();
    await row(second, 'Second').getByText('3 words, 17 characters').waitFor();
  });

  await t.test('five at once, their status at once, a filter, a search', async () => {
    await first.getByLabel('Title').fill('Chapter');
    await first.getByRole('button', { name: 'Create 5 Items (Bulk)' }).click();
    await row(second, 'Chapter 5').waitFor();
    await second.getByLabel('New status of the items shown').selectOption('inactive');
    await second.getByRole('button', { name: 'Update Status (Bulk)' }).click();
    await second.getByText('6 items have that status now').waitFor();
    await row(first, 'Chapter 1').getByText('Inactive').waitFor();
    await first.getByLabel('Show', { exact: true }).selectOption('active');
    await first.getByText('No item matches').waitFor();
    await first.getByRole('button', { name: 'Show all items' }).click();
    await first.getByLabel('Search').fill('chapter 3');
    await first.getByText('1–1 of 1').waitFor();
    await first.getByLabel('Search').fill('');
    await first.getByRole('button', { name: 'Load Items' }).click();
    await first.getByText('1–6 of 6').waitFor();
  });

  await t.test('deleted, thought again, and deleted for good', async () => {
    // A notice that somebody points at stays.
    const notice = (/** @type {string} */ title) => first.getByText(`Deleted “${title}”`).locator('..');
    await row(first, 'Chapter 2').getByRole('button', { name: 'Delete' }).click();
    await notice('Chapter 2').hover();
    await row(first, 'Chapter 2').waitFor({ state: 'detached' });
    await first.getByRole('button', { name: 'Undo' }).click();
    await row(first, 'Chapter 2').waitFor();
    await row(first, 'Chapter 4').getByRole('button', { name: 'Delete' }).click();
    await notice('Chapter 4').hover();
    await row(first, 'Chapter 4').waitFor({ state: 'detached' });
    await row(second, 'Chapter 4').waitFor();
    await notice('Chapter 4').getByRole('button', { name: 'Dismiss' }).click();
    await row(second, 'Chapter 4').waitFor({ state: 'detached' });
    await row(second, 'Chapter 2').waitFor();
  });

  await t.test('a delete that waits is done when the page goes away', async () => {
    await row(first, 'Chapter 1').getByRole('button', { name: 'Delete' }).click();
    await first.getByRole('button', { name: 'Undo' }).waitFor();
    await first.goto('about:blank');
    await row(second, 'Chapter 1').waitFor({ state: 'detached' });
  });

  await t.test('pages', async () => {
    const headers = { 'Content-Type': 'application/json' };
    const body = JSON.stringify(Array.from({ length: 20 }, (_, i) => ({ title: `More ${i}` })));
    await fetch(`${server.url}/api/items/bulk`, { method: 'POST', headers, body });
    await second.getByText('1–10 of 24').waitFor();
    await second.getByRole('button', { name: 'Next page' }).click();
    await second.getByText('11–20 of 24').waitFor();
    await second.getByRole('button', { name: 'Next page' }).click();
    await second.getByText('21–24 of 24').waitFor();
    assert.ok(await second.getByRole('button', { name: 'Next page' }).isDisabled());
  });

  await t.test('what is being written stays when others push it off the page', async () => {
    await second.getByRole('button', { name: 'Load Items' }).click();
    await row(second, 'More 19').getByRole('button', { name: 'Edit' }).click();
    await second.keyboard.type('Half a wo');
    const headers = { 'Content-Type': 'application/json' };
    const body = JSON.stringify(Array.from({ length: 20 }, (_, i) => ({ title: `Even more ${i}` })));
    await fetch(`${server.url}/api/items/bulk`, { method: 'POST', headers, body });
    await second.getByText('1–10 of 44').waitFor();
    await row(second, 'Even more 10').waitFor();
    await second.keyboard.type('rd');
    await second.keyboard.press('Enter');
    await second.getByRole('form', { name: /^Edit/ }).waitFor({ state: 'detached' });
    await second.getByLabel('Search').fill('Half a word');
    await row(second, 'Half a word').waitFor();
  });
  assert.deepEqual(tabs.faults, []);
});
