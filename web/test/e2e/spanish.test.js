/** A Spanish user gets a Spanish page with the words that are known from before; the switch is remembered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startApp } from './app.js';

test('spanish', async (t) => {
  const { server, tabs } = await startApp();
  const page = await tabs.open(server.url, { locale: 'es-AR' });

  await t.test('by the language of the browser', async () => {
    assert.equal(await page.locator('html').getAttribute('lang'), 'es');
    for (const name of ['Crear Item', 'Crear 5 Items (Bulk)', 'Cargar Items', 'Conectar al Room', 'Enviar']) {
      await page.getByRole('button', { name, exact: true }).waitFor();
    }
    await page.getByText('Aún no hay items').waitFor();
    await page.getByRole('button', { name: 'Crear Item' }).click();
    await page.getByText('Un item necesita un título.').waitFor();
    await page.getByRole('button', { name: 'Crear 5 Items (Bulk)' }).click();
    await page.getByText('Se crearon 5 items').waitFor();
    await page.getByRole('button', { name: 'Actualizar Status (Bulk)' }).click();
    await page.getByText('5 items tienen ahora ese status').waitFor();
  });

  await t.test('in a room', async () => {
    await page.getByRole('button', { name: 'Conectar al Room' }).click();
    await page.locator('#room-status').getByText('Conectado').waitFor();
    await page.getByText('No hay nadie más aquí todavía').waitFor();
  });

  await t.test('the switch turns every word, and is remembered', async () => {
    await page.getByLabel('Idioma').selectOption('en');
    await page.getByRole('button', { name: 'Create Item' }).waitFor();
    await page.getByText('You are the first one here').waitFor();
    const text = await page.locator('body').innerText();
    assert.doesNotMatch(text, /Título|Descripción|Conectado|Crear|Enviar|Aún/);
    assert.doesNotMatch(text, /\b(items|room|peers|chat|log|page|status)\.[a-z_]+/, 'no key is shown');
    await page.reload();
    await page.getByRole('button', { name: 'Create Item' }).waitFor();
    assert.equal(await page.locator('html').getAttribute('lang'), 'en');
  });

  await t.test('so are the room, the id and the theme', async () => {
    await page.getByRole('button', { name: 'Leave' }).click();
    await page.getByRole('textbox', { name: 'Room' }).fill('sala-1');
    await page.getByLabel('My peer id').fill('ñandú');
    await page.getByRole('button', { name: 'Connect to Room' }).click();
    await page.getByText('ñandú', { exact: true }).first().waitFor();
    await page.getByLabel('Theme').selectOption('dark');
    await page.getByRole('button', { name: 'Leave' }).click();
    await page.reload();
    await page.getByRole('button', { name: 'Connect to Room' }).waitFor();
    assert.equal(await page.getByRole('textbox', { name: 'Room' }).inputValue(), 'sala-1');
    assert.equal(await page.getByLabel('My peer id').inputValue(), 'ñandú');
    assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
  });
  assert.deepEqual(tabs.faults, []);
});
