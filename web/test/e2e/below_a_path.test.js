/** nginx in front, with the page below a path: everything is asked for there, and links to copy lead there. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';

import { connectedTo, inRoom, noNetwork, startApp, tied } from './app.js';

const NGINX = '/usr/sbin/nginx';
const skip = noNetwork || (existsSync(NGINX) ? false : `there is no ${NGINX}`);

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}

/** @param {string} server */
async function nginx(server) {
  const folder = mkdtempSync(join(tmpdir(), 'grtc-nginx-'));
  const port = await freePort();
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (what) => `${what}_temp_path ${folder}/${what};`,
  );
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
     events {}
     http {
       access_log ${folder}/access.log; ${paths.join(' ')}
       map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
       server {
         listen 127.0.0.1:${port};
         location / { return 404; }
         location /grtc/ {
           proxy_pass http://${server}/;
           proxy_http_version 1.1;
           proxy_set_header Host $http_host;
           proxy_set_header Upgrade $http_upgrade;
           proxy_set_header Connection $connection_upgrade;
         }
       }
     }`,
  );
  const child = tied(spawn(NGINX, ['-c', join(folder, 'nginx.conf'), '-p', folder], { stdio: 'inherit' }));
  const answers = () =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true));
      socket.on('connect', () => socket.destroy()).on('error', () => resolve(false));
    });
  while (!(await answers())) await wait(20);
  const stop = async () => {
    const ended = once(child, 'exit');
    child.kill();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  return { url: `http://127.0.0.1:${port}/grtc`, stop };
}

test('below a path', { skip }, async (t) => {
  const { server, tabs } = await startApp();
  const proxy = await nginx(server.address);
  t.after(proxy.stop);
  const clipboard = { permissions: ['clipboard-read', 'clipboard-write'] };
  const first = await inRoom(tabs, proxy.url, 'tab1', clipboard);
  /** @type {string[]} */
  const elsewhere = [];
  first.on('request', (request) => request.url().startsWith(proxy.url) || elsewhere.push(request.url()));

  await t.test('two tabs meet, and talk', async () => {
    const second = await inRoom(tabs, proxy.url, 'tab2');
    await connectedTo(first, 'tab2');
    await first.getByLabel('Message', { exact: true }).fill('below');
    await first.getByRole('button', { name: 'Send' }).click();
    await second.getByRole('article').filter({ hasText: 'below' }).waitFor();
  });

  await t.test('the link that is copied leads to the room', async () => {
    await first.getByRole('button', { name: 'Copy link' }).click();
    await first.getByText('Copied', { exact: true }).waitFor();
    const link = await first.evaluate(() => navigator.clipboard.readText());
    assert.equal(link, `${proxy.url}/?room=room1`);
  });

  await t.test('items are live', async () => {
    await first.getByText('Live', { exact: true }).waitFor();
    await first.getByLabel('Title').fill('Below a path');
    await first.getByRole('button', { name: 'Create Item' }).click();
    await first.getByRole('heading', { name: 'Below a path', exact: true }).waitFor();
  });

  assert.deepEqual(elsewhere, []);

  await t.test('the documentation is there', async () => {
    await first.getByRole('link', { name: 'The API behind this page' }).click();
    await first.getByText('/api/items').first().waitFor();
    assert.ok(first.url().startsWith(`${proxy.url}/docs`));
  });
  assert.deepEqual(tabs.faults, []);
});
