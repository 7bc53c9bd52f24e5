/** A server that asks for tokens: the page asks its user for one, says why, shows what it allows, and renews it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';

import { check } from './axe.js';
import { connectedTo, eventually, noNetwork, startApp } from './app.js';
import { makeKey, noTokens } from './keys.js';

/** @typedef {import('./app.js').Page} Page */

const dialog = (/** @type {Page} */ page) => page.getByRole('dialog');

/** @param {Page} page @param {string} token */
async function give(page, token) {
  await dialog(page).getByRole('textbox').fill(token);
  await dialog(page).getByRole('button', { name: 'Use this token' }).click();
}

/** Goes in and stays until the server ends it; gives its reason. @param {{ url: string, token: string }} options */
const putOut = ({ url, token }) =>
  new Promise((resolve) => {
    new WebSocket(url, ['grtc', `grtc.token.${token}`]).onclose = ({ reason }) => resolve(reason);
  });

/** @param {Page} page */
const gone = (page) => dialog(page).waitFor({ state: 'hidden' });

test('token', { skip: noTokens }, async (t) => {
  const key = makeKey();
  const { server, tabs } = await startApp({}, key.flags);
  const writer = key.token('ana', '--room', 'team-*', '--items', 'write');

  await t.test('it is asked for, with the reason, and can be declined', async () => {
    const page = await tabs.open(server.url);
    await dialog(page).getByRole('heading', { name: 'A token is needed' }).waitFor();
    await dialog(page).getByText('This server lets in only who has a token.').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement?.id), 'token-text');
    await dialog(page).getByText('What is a token, and how do I get one?').click();
    await dialog(page)
      .getByText(/^grtc-server token create/)
      .waitFor();
    for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await check(page, `the dialog, ${colorScheme}`);
    }
    await page.keyboard.press('Escape');
    await gone(page);
    const note = page.locator('item-list .note');
    await note.getByText('This server lets in only who has a token.').waitFor();
    await page.getByRole('button', { name: 'Load Items' }).click();
    await note.getByText('This server lets in only who has a token.').waitFor();
    assert.equal(await dialog(page).count(), 0, 'once is enough, unless the user does something that needs it');
    await note.getByRole('button', { name: 'Give a token' }).click();
    await dialog(page).waitFor();
    await page.keyboard.press('Escape');
    await gone(page);
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Give a token');
  });

  await t.test('what is no token, a bad one and an old one are told apart', async () => {
    const page = await tabs.open(server.url);
    await dialog(page).waitFor();
    const error = page.locator('#token-text-error');
    await give(page, '');
    await error.getByText('Paste the token here.').waitFor();
    await give(page, 'hello');
    await error.getByText(/^That is no token/).waitFor();
    assert.equal(await page.locator('#token-text').getAttribute('aria-invalid'), 'true');
    await give(page, `${writer.slice(0, -4)}AAAA`);
    await error.getByText(/^The server does not take this token/).waitFor();
    const old = key.token('ana', '--room', 'x', '--ttl', '1s');
    // The server has a leeway of 5 s.
    const headers = { Authorization: `Bearer ${old}` };
    await eventually(async () => (await fetch(`${server.url}/api/ice-servers`, { headers })).status, 401);
    await give(page, old);
    await error.getByText(/^This token has ended already/).waitFor();
    await page.locator('#token-text').fill(writer);
    await dialog(page).getByRole('status').getByText('team-*').waitFor();
    await page.locator('#token-text').press('Enter');
    await gone(page);
    await page.getByText('No items yet').waitFor();
    await page.getByRole('button', { name: /^Your token: ana until/ }).waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
  });

  await t.test('from the address it goes to the tab, and nowhere else', async () => {
    /** @type {string[]} */
    const said = [];
    const tab = await tabs.openRaw('about:blank');
    tab.on('request', (request) => {
      said.push(request.url(), request.headers().referer ?? '');
    });
    tab.on('console', (message) => said.push(message.text()));
    await tab.goto(`${server.url}/?room=team-1#room&token=${writer}`);
    await tab.locator('body.ready').waitFor();
    assert.equal(tab.url(), `${server.url}/?room=team-1#room`);
    await tab.getByRole('button', { name: /^Your token: ana/ }).waitFor();
    await tab.getByRole('button', { name: 'Connect to Room' }).click();
    await tab.locator('#room-status').getByText('Connected', { exact: true }).waitFor();
    await tab.reload();
    await tab.locator('#room-status').getByText('Connected', { exact: true }).waitFor();
    assert.ok(said.length > 40);
    assert.deepEqual(
      said.filter((text) => text.includes(writer)),
      [],
    );
    assert.equal(await tab.evaluate(() => JSON.stringify(localStorage).includes('ey')), false);
    // In a tab that is there already it takes the place of the other.
    const reader = key.token('ben', '--room', 'team-1', '--items', 'read');
    await tab.getByRole('button', { name: 'Leave' }).click();
    await tab.evaluate((token) => void (location.hash = `#token=${token}`), reader);
    await tab.getByRole('button', { name: /^Your token: ben/ }).waitFor();
    assert.equal(tab.url(), `${server.url}/?room=team-1`);
    await tab.close();
  });

  await t.test('what it does not allow is out of use, and says so', async () => {
    const reader = key.token('ben', '--room', 'team-1', '--peer-id', 'ben-1', '--items', 'read', '--no-publish');
    const page = await tabs.open(`${server.url}/#token=${reader}`);
    await page.getByText('Your token lets you read items, not change them.').waitFor();
    assert.ok(await page.getByRole('button', { name: 'Create Item' }).isDisabled());
    assert.ok(await page.getByLabel('Title').isDisabled());
    assert.equal(
      await page.getByRole('textbox', { name: 'Room', exact: true }).inputValue(),
      'team-1',
      'the only one that it opens',
    );
    assert.equal(await page.getByLabel('My peer id').inputValue(), 'ben-1');
    await page.getByText('Your token opens: team-1, as ben-1').waitFor();
    await page.getByRole('textbox', { name: 'Room', exact: true }).fill('elsewhere');
    await page.getByRole('button', { name: 'Connect to Room' }).click();
    await page.getByText('Your token does not open this room.').waitFor();
    await page.getByRole('textbox', { name: 'Room', exact: true }).fill('team-1');
    await page.getByRole('button', { name: 'Connect to Room' }).click();
    await page.locator('#room-status').getByText('Connected', { exact: true }).waitFor();
    await page.getByText('Your token lets you listen here, not speak through the server.').waitFor();
    assert.ok(await page.getByRole('textbox', { name: 'Broadcast' }).isDisabled());
    await check(page, 'read only');

    // What others do is seen; with another token it can be done here, too.
    const other = await tabs.open(`${server.url}/#token=${writer}`);
    await other.getByLabel('Title').fill('Seen by both');
    await other.getByRole('button', { name: 'Create Item' }).click();
    const row = page.locator('item-row').filter({ hasText: 'Seen by both' });
    await row.waitFor();
    assert.ok(await row.getByRole('button', { name: /^Delete/ }).isDisabled());
    await page.getByRole('button', { name: /^Your token: ben/ }).click();
    await give(page, key.token('ben', '--room', 'team-1', '--items', 'write'));
    await gone(page);
    await row.getByRole('button', { name: /^Delete/ }).click();
    await page.getByText('Deleted “Seen by both”').waitFor();
    await row.waitFor({ state: 'detached' });

    const none = await tabs.open(`${server.url}/#token=${key.token('eve', '--room', 'team-1')}`);
    await none.locator('item-list').getByText('Your token does not let you see items').waitFor();
    assert.equal(await dialog(none).count(), 0, 'there is nothing wrong with that');
  });

  await t.test('a creation waits for a token, and is made once', async () => {
    const page = await tabs.open(server.url);
    await dialog(page).waitFor();
    await page.keyboard.press('Escape');
    await gone(page);
    await page.getByLabel('Title').fill('Made when it may be');
    await page.getByRole('button', { name: 'Create Item' }).click();
    await dialog(page).waitFor();
    await give(page, writer);
    await page.getByText('Created “Made when it may be”').waitFor();
    await page.getByRole('heading', { name: 'Made when it may be', exact: true }).waitFor();
    assert.equal(await page.getByRole('heading', { name: 'Made when it may be', exact: true }).count(), 1);
  });

  await t.test('a room is renewed without leaving it', async () => {
    const page = await tabs.open(`${server.url}/?room=team-5&peer=renews`);
    const another = key.token('somebody else', '--room', 'team-5');
    await dialog(page).waitFor();
    // The page is there: it has all of the time that this one is good for.
    await give(page, key.token('ana', '--room', 'team-5', '--ttl', '20s'));
    await gone(page);
    // Another connection says when that is over: its own token ends after it.
    const token = key.token('ana', '--room', 'team-6', '--ttl', '22s');
    const ended = page.evaluate(putOut, { url: `${server.url.replace('http', 'ws')}/ws/team-6?peer_id=old`, token });
    await page.getByRole('button', { name: 'Connect to Room' }).click();
    await page.locator('#room-status').getByText('Connected', { exact: true }).waitFor();
    await page.getByRole('button', { name: /^Your token: ana/ }).click();
    await give(page, another);
    await page
      .locator('#token-text-error')
      .getByText(/is for somebody else/)
      .waitFor();
    await give(page, writer);
    await gone(page);
    const log = page.locator('room-log');
    await log.getByText('The server did not take the other token').waitFor();
    assert.equal(await ended, 'no valid token');
    await page.locator('#room-status').getByText('Connected', { exact: true }).waitFor();
    assert.equal(await log.locator('li').count(), 2, 'it came in, and one token was not taken');
  });

  await t.test('who stays too long is warned, put out, and comes back with another token', async () => {
    const page = await tabs.open(`${server.url}/?room=team-2&peer=stays`);
    await dialog(page).waitFor();
    await give(page, key.token('ana', '--room', 'team-2', '--ttl', '12s'));
    await gone(page);
    await page.getByRole('button', { name: 'Connect to Room' }).click();
    await page.locator('#room-status').getByText('Connected', { exact: true }).waitFor();
    await page.getByText(/^Your token ends at/).waitFor();
    await dialog(page)
      .getByText(/^This token ended/)
      .waitFor();
    await page.locator('#room-status').getByText('The server asks for a valid token.').waitFor({ state: 'attached' });
    await give(page, writer);
    await gone(page);
    await page.locator('#room-status').getByText('Connected', { exact: true }).waitFor();
    assert.equal(await page.locator('.inside bdi').first().textContent(), 'stays');
  });

  await t.test('two tabs with tokens meet', { skip: noNetwork }, async () => {
    const [first, second] = await Promise.all(
      ['ana', 'ben'].map(async (sub) => {
        const page = await tabs.open(
          `${server.url}/?room=team-3&peer=${sub}&join=1#token=${key.token(sub, '--room', 'team-3')}`,
        );
        await page.locator('#room-status').getByText('Connected', { exact: true }).waitFor();
        return page;
      }),
    );
    if (!first || !second) return assert.fail('two pages');
    await connectedTo(first, 'ben');
    await connectedTo(second, 'ana');
    await first.getByLabel('Message', { exact: true }).fill('by token');
    await first.getByRole('button', { name: 'Send' }).click();
    await second.getByRole('article').getByText('by token').waitFor();
  });

  await t.test('the module takes a token, or a function that gives one', async () => {
    const html = '<!doctype html><html lang="en"><title>x</title><body class="ready">x</body></html>';
    const elsewhere = createServer((_, response) => response.setHeader('Content-Type', 'text/html').end(html));
    elsewhere.listen(0, '127.0.0.1');
    await once(elsewhere, 'listening');
    const { port } = /** @type {import('node:net').AddressInfo} */ (elsewhere.address());
    const page = await tabs.open(`http://127.0.0.1:${port}/`);
    const states = await page.evaluate(
      async ({ url, tokens }) => {
        const { Room } = await import(`${url}/static/js/grtc.js`);
        const ends = [undefined, tokens[0], async () => tokens[0], () => tokens[1]].map(
          (token, i) =>
            new Promise((resolve) => {
              const room = new Room({ server: url, room: 'team-4', peerId: `m${i}`, token });
              room.on('status', (/** @type {any} */ status) => {
                if (status.state === 'joined') void room.authenticate(tokens[0]).then(() => resolve('joined'), resolve);
                if (status.state === 'closed') resolve(status.word);
              });
              room.join();
            }),
        );
        return Promise.all(ends);
      },
      { url: server.url, tokens: [writer, key.token('eve', '--room', 'elsewhere')] },
    );
    elsewhere.close();
    assert.deepEqual(states, ['not_authenticated', 'joined', 'joined', 'not_allowed']);
  });

  await t.test('in Spanish', async () => {
    const page = await tabs.open(server.url, { locale: 'es-ES' });
    await dialog(page).getByText('Este servidor solo deja entrar a quien tiene un token.').waitFor();
    await dialog(page).getByRole('textbox').fill('hola');
    await dialog(page).getByRole('button', { name: 'Usar este token' }).click();
    await dialog(page)
      .getByText(/^Eso no es un token/)
      .waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Dar un token' }).first().waitFor();
    await page.getByRole('button', { name: 'Dar un token' }).first().click();
    await dialog(page).getByRole('textbox').fill(writer);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: /^Tu token: ana hasta/ }).waitFor();
    await page.getByLabel('Idioma').selectOption('en');
    await page.getByRole('button', { name: /^Your token: ana until/ }).waitFor();
  });
  assert.deepEqual(tabs.faults, []);
});

test('a server without keys asks for nothing', async () => {
  const { server, tabs } = await startApp();
  const page = await tabs.open(server.url);
  await page.getByText('No items yet').waitFor();
  await page.getByText('Live', { exact: true }).waitFor();
  assert.equal(await dialog(page).count(), 0);
  assert.ok(await page.locator('page-token').isHidden());
  assert.deepEqual(tabs.faults, []);
});
