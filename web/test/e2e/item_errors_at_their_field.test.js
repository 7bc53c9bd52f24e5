/** What the server refuses is said at its field, in the user's language, and nothing that was typed is lost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startApp } from './app.js';

test('item errors at their field', async (t) => {
  const { server, tabs } = await startApp();
  const page = await tabs.open(server.url);
  const title = page.getByLabel('Title');

  await t.test('no title', async () => {
    await page.getByRole('button', { name: 'Create Item' }).click();
    await page.getByText('An item needs a title.').waitFor();
    assert.equal(await title.getAttribute('aria-invalid'), 'true');
    assert.ok(await title.evaluate((element) => element === document.activeElement), 'the field has the focus');
    const described = await title.getAttribute('aria-describedby');
    assert.equal(await page.locator(`#${described}`).textContent(), 'An item needs a title.');
  });

  await t.test('a title that is too long stays to be made shorter', async () => {
    await title.fill('x'.repeat(201));
    assert.equal(await title.getAttribute('aria-invalid'), null, 'the next letter takes the error away');
    await page.getByRole('button', { name: 'Create Item' }).click();
    await page.getByText('A title has at most 200 characters.').waitFor();
    assert.equal((await title.inputValue()).length, 201);
  });

  await t.test('a description that is too long', async () => {
    await title.fill('x'.repeat(200));
    await page.getByLabel('Description').fill('x'.repeat(10_001));
    await page.getByRole('button', { name: 'Create Item' }).click();
    await page.getByText('A description has at most 10,000 characters.').waitFor();
    assert.equal(await title.getAttribute('aria-invalid'), null);
    await page.getByLabel('Description').fill('short');
    await page.getByRole('button', { name: 'Create Item' }).click();
    await page.locator('item-row').getByText('short').waitFor();
  });

  await t.test('while an item is edited', async () => {
    await page.getByRole('button', { name: /^Edit/ }).click();
    const form = page.getByRole('form', { name: /^Edit/ });
    await form.getByLabel('Title').fill('');
    await form.getByRole('button', { name: 'Save' }).click();
    await form.getByText('An item needs a title.').waitFor();
    await form.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('heading', { name: 'x'.repeat(200) }).waitFor();
  });

  await t.test('names of rooms and peers, before the server is asked', async () => {
    for (const [name, words] of [
      ['', 'A name is needed here.'],
      ['a/b', 'A name can’t contain this character: U+002F.'],
      ['a\u202eb', 'A name can’t contain this character: U+202E.'],
      ['..', '“.” and “..” are no names.'],
      ['x'.repeat(65), 'A name has at most 64 characters.'],
    ]) {
      await page.getByLabel('My peer id').fill(String(name));
      await page.getByRole('button', { name: 'Connect to Room' }).click();
      await page.getByText(String(words)).waitFor();
    }
  });

  await t.test('a server that is gone', async () => {
    await server.stop('SIGKILL');
    // Before something waits for the server, which is what the badge says then.
    await page.getByText('Not live').waitFor();
    await title.fill('Will be kept');
    await page.getByRole('button', { name: 'Create Item' }).click();
    await page.locator('item-form').getByText('Waiting for the server…').waitFor();
    assert.equal(await title.inputValue(), 'Will be kept');
  });
  assert.deepEqual(tabs.faults, []);
});
