/**
 * Runs the scenarios in a browser, each file with a server of its own: all of them, or those named as arguments
 * (`npm run e2e -- spanish`). `GRTC_SERVER_BIN`, `GRTC_PEER_BIN` and `CHROMIUM_BIN` say where the programs are.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';

import { BROWSER_BIN, SERVER_BIN, noNetwork, noPeer } from './e2e/app.js';

const missing = [
  [SERVER_BIN, 'build it with `cargo build -p grtc-server`, or name it in GRTC_SERVER_BIN'],
  [BROWSER_BIN, 'install Chromium, or name it in CHROMIUM_BIN'],
].filter(([path]) => !existsSync(String(path)));
for (const [path, hint] of missing) console.error(`There is no ${path}: ${hint}.`);
if (missing.length > 0) process.exit(2);
for (const reason of [noNetwork, noPeer]) if (reason) console.error(`Some scenarios are left out: ${reason}.`);

const folder = new URL('e2e/', import.meta.url);
const wanted = process.argv.slice(2);
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.test.js'))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
  .map((name) => new URL(name, folder).pathname);
// The spec reporter says at the end what failed, once more: that is where one looks, and what a log that is cut keeps.
const flags = ['--test', '--test-reporter=spec', '--test-concurrency=2', '--test-timeout=600000', '--test-force-exit'];
const run = spawn(process.execPath, [...flags, ...files], { stdio: 'inherit' });
run.on('exit', (code) => process.exit(code ?? 1));
