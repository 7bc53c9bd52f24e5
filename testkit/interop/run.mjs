/**
 * Every stack against grtc-peer, as newcomer and as resident. `node run.mjs WORK [CELL…]`: the folder that has the stacks,
 * and the cells to run (those whose name has one of these words), by default all.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const here = new URL('./', import.meta.url).pathname;
const repository = new URL('../../', import.meta.url).pathname;
const binary = (name, variable) => process.env[variable] ?? join(repository, 'target/debug', name);
const SERVER = binary('grtc-server', 'GRTC_SERVER_BIN');
const PEER = binary('grtc-peer', 'GRTC_PEER_BIN');
/** A cell that takes longer hangs. */
const PATIENCE_MS = 25_000;
const LINES = 8;

const [work, ...only] = process.argv.slice(2);
const js = (stack) => ['node', join(work, 'peer.mjs'), stack];
/** The stacks, and whether each can make an ICE restart. */
const STACKS = [
  { name: 'werift', command: js('werift'), restarts: false },
  { name: 'node-datachannel', command: js('node-datachannel'), restarts: false },
  { name: 'wrtc', command: js('wrtc'), restarts: true },
  { name: 'aiortc', command: [join(work, 'python/bin/python'), join(here, 'peer.py')], restarts: false },
];
const cells = STACKS.flatMap(({ name, command, restarts }) => [
  { name: `${name} as newcomer`, command, newcomer: true, restart: false },
  { name: `${name} as resident`, command, newcomer: false, restart: false },
  ...(restarts
    ? [
        { name: `${name} as newcomer, ICE restart`, command, newcomer: true, restart: true },
        { name: `${name} as resident, ICE restart`, command, newcomer: false, restart: true },
      ]
    : []),
]).filter(({ name }) => only.length === 0 || only.some((word) => name.includes(word)));

const folder = mkdtempSync(join(tmpdir(), 'grtc-interop-'));
const server = spawn(SERVER, ['--listen', '127.0.0.1:0', '--database-url', `sqlite://${folder}/grtc.db?mode=rwc`, '--log-format', 'json']);
const url = await new Promise((resolve, reject) => {
  createInterface({ input: server.stderr }).on('line', (line) => {
    const address = /127\.0\.0\.1:\d+/.exec(line);
    if (address) resolve(`ws://${address[0]}`);
  });
  server.on('exit', (code) => reject(new Error(`the server ended with ${code}`)));
});

const results = await Promise.all(cells.map((cell, number) => run(cell, `cell-${number}`)));
server.kill('SIGKILL');
rmSync(folder, { recursive: true, force: true });
const passed = results.filter(Boolean).length;
console.log(`${passed} scenarios passed, ${results.length - passed} failed`);
process.exit(passed === results.length ? 0 : 1);

/** Two peers, one of each kind: both say their lines and hear those of the other. */
async function run({ name, command, newcomer, restart }, room) {
  const started = performance.now();
  const theirs = [...command.slice(1), '--server', url, '--room', room, '--id', 'other', '--lines', String(LINES)];
  if (restart) theirs.push('--restart');
  const expected = lines('other').flatMap((line) => ['--expect', line]);
  const said = lines('grtc').flatMap((line) => ['--send', line]);
  const ours = ['join', room, '--server', url, '--id', 'grtc', '--json', '--timeout', '20s', ...said, ...expected];
  const start = { other: () => start1(command[0], theirs), grtc: () => start1(PEER, ours) };
  const [first, second] = newcomer ? ['grtc', 'other'] : ['other', 'grtc'];
  const processes = { [first]: start[first]() };
  await inRoom(room, 1);
  processes[second] = start[second]();
  const ends = await Promise.all([ended(processes.other), ended(processes.grtc)]);
  const connected = /"t_ms":(\d+)[^\n]*"event":"connected"|"event":"connected"[^\n]*"t_ms":(\d+)/.exec(processes.grtc.said);
  const ok = ends.every((code) => code === 0);
  const open = connected ? `open at ${connected[1] ?? connected[2]} ms` : 'never open';
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name}: ${open}, ${Math.round(performance.now() - started)} ms (exits ${ends})`);
  if (!ok) console.log(`--- ${name}, other:\n${processes.other.said}--- ${name}, grtc-peer:\n${processes.grtc.said}`);
  return ok;
}

function lines(id) {
  return Array.from({ length: LINES }, (_, index) => `${id} ${index + 1}`);
}

function start1(command, args) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  child.said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (child.said += text));
  return child;
}

async function ended(child) {
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  const [code, signal] = child.exitCode === null && child.signalCode === null ? await once(child, 'exit') : [child.exitCode, child.signalCode];
  clearTimeout(timer);
  return code ?? signal;
}

/** Waits until the room has so many peers. */
async function inRoom(room, peers) {
  const address = `${url.replace('ws:', 'http:')}/rooms/${room}/peers`;
  const until = performance.now() + PATIENCE_MS;
  while (performance.now() < until) {
    const { total } = await (await fetch(address)).json();
    if (total >= peers) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
