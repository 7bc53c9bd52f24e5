/** A key for a server that asks for tokens, and tokens made with it by the server's own program. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

import { SERVER_BIN } from './app.js';

/** A server that knows of no tokens has no such command. */
export const noTokens =
  spawnSync(SERVER_BIN, ['token', '--help']).status === 0 ? false : `${SERVER_BIN} makes no tokens`;

/** A key that goes when the scenarios are over: the server's flags for it, and what makes tokens. */
export function makeKey() {
  const folder = mkdtempSync(join(tmpdir(), 'grtc-key-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const key = join(folder, 'key');
  run('key', '--out', key);
  return {
    flags: ['--auth-secret-file', key],
    /** @param {string} sub @param {...string} rights as `--room`, `team-1` */
    token: (sub, ...rights) => run('create', '--key', key, '--sub', sub, ...rights),
  };
}

/** @param {...string} words */
function run(...words) {
  const { status, stdout, stderr } = spawnSync(SERVER_BIN, ['token', ...words], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`token ${words[0]}: ${stderr}`);
  return stdout.trim();
}
