/**
 * Every stack against grtc-peer, as newcomer and as resident. `node run.mjs WORK [CELL…]`: the folder that has the stacks,
 * and the cells to run (those whose name has one of these words), by default all.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const binary = (name, variable) => process.env[variable] ?? here(`../../target/debug/${name}`);
const SERVER = binary('grtc-server', 'GRTC_SERVER_BIN');
const PEER = binary('grtc-peer', 'GRTC_PEER_BIN');
/** A cell that takes longer hangs. */
const PATIENCE_MS = 25_000;
const LINES = 9;
/** Cells at the same time: more would measure how busy the machine is. */
const AT_ONCE = 4;

const [work, ...only] = process.argv.slice(2);
const js = (stack) => [process.execPath, join(work, 'peer.mjs'), stack];
/**
 * The stacks, and what each can offer a second time on an open connection. After a restart of its own werift begins no
 * checks, libdatachannel makes neither, and what aiortc offers again, having offered before, is the very same text.
 */
const STACKS = [
  { name: 'werift', command: js('werift'), again: ['offer'] },
  { name: 'node-datachannel', command: js('node-datachannel'), again: [] },
  { name: 'wrtc', command: js('wrtc'), again: ['offer', 'restart'] },
  { name: 'aiortc', command: [join(work, 'python/bin/python'), here('peer.py')], again: [], residentAgain: ['offer'] },
  { name: 'pion', command: [join(work, 'pion')], again: ['restart'] },
  { name: 'str0m', command: [join(work, 'str0m')], again: ['restart'] },
];
const cells = STACKS.flatMap(({ name, command, again, residentAgain = again }) =>
  ['newcomer', 'resident'].flatMap((role) => [
    { name: `${name} as ${role}`, command, role, again: 'no' },
    ...(role === 'resident' ? residentAgain : again).map((what) => {
      return { name: `${name} as ${role}, second ${what}`, command, role, again: what };
    }),
  ]),
).filter(({ name }) => only.length === 0 || only.some((word) => name.includes(word)));

/** A process that is heard. */
class Process {
  said = '';
  #waiting = new Set();

  constructor([program, ...args]) {
    this.child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    // Lines for a process that has ended are lost, which its exit code says.
    this.child.stdin.on('error', () => {});
    for (const stream of [this.child.stdout, this.child.stderr]) stream.on('data', (text) => this.#hear(text));
    this.exit = once(this.child, 'close').then(([code, signal]) => {
      this.ended = true;
      this.#hear('');
      return code ?? signal;
    });
  }

  #hear(text) {
    this.said += text;
    for (const look of this.#waiting) look();
  }

  /** Waits until it has said this, or can't any more. */
  says(text) {
    return new Promise((resolve) => {
      const look = () => {
        if (!this.said.includes(text) && !this.ended) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  async end() {
    const timer = setTimeout(() => this.child.kill('SIGKILL'), PATIENCE_MS);
    const exit = await this.exit;
    clearTimeout(timer);
    return exit;
  }
}

const folder = mkdtempSync(join(tmpdir(), 'grtc-interop-'));
const database = `sqlite://${folder}/grtc.db?mode=rwc`;
const server = new Process([SERVER, '--listen', '127.0.0.1:0', '--database-url', database, '--log-format', 'json']);
await server.says('listening');
const url = `ws://${/127\.0\.0\.1:\d+/.exec(server.said)}`;

const waiting = cells.entries();
const results = [];
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (const [number, cell] of waiting) results.push(await run(cell, `cell-${number}`));
  }),
);
server.child.kill();
await server.exit;
rmSync(folder, { recursive: true, force: true });
const passed = results.filter(Boolean).length;
console.log(`${passed} scenarios passed, ${results.length - passed} failed`);
process.exit(passed > 0 && passed === results.length ? 0 : 1);

/** Two peers, one of each kind: both say their lines and hear those of the other. */
async function run({ name, command, role, again }, room) {
  const started = performance.now();
  const theirs = ['--server', url, '--room', room, '--id', 'other', '--lines', LINES, '--again', again].map(String);
  const expected = lines('other').flatMap((line) => ['--expect', line]);
  const ours = ['join', room, '--server', url, '--id', 'grtc', '--json', '--timeout', '20s', '--until-eof', ...expected];
  const other = () => new Process([...command, ...theirs]);
  const grtc = () => new Process([PEER, ...ours]);
  const [first, second] = role === 'newcomer' ? [grtc, other] : [other, grtc];
  const resident = first();
  await resident.says('joined');
  const pair = [resident, second()];
  if (role === 'newcomer') pair.reverse();
  void talk(pair[1], pair[0], again);
  const exits = await Promise.all(pair.map((process) => process.end()));
  const [theirSide, ourSide] = pair.map(({ said }) => said);
  const ok = exits.every((code) => code === 0) && inOrder(theirSide, 'grtc') && inOrder(ourSide, 'other');
  const opened = events(ourSide).find(({ event }) => event === 'connected');
  const open = opened ? `open at ${Math.round(opened.t_ms)} ms` : 'never open';
  const took = `${Math.round(performance.now() - started)} ms`;
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name}: ${open}, ${took} (exits ${exits})`);
  if (!ok) console.log(`--- ${name}, other:\n${theirSide}--- ${name}, grtc-peer:\n${ourSide}`);
  return ok;
}

/** grtc-peer's lines: all at once, or by thirds before, while and after the other side negotiates again. */
async function talk(grtc, other, again) {
  const own = lines('grtc').map((line) => `${line}\n`);
  const third = LINES / 3;
  if (again !== 'no') {
    await other.says('open');
    grtc.child.stdin.write(own.splice(0, third).join(''));
    await other.says('offered again');
    grtc.child.stdin.write(own.splice(0, third).join(''));
    await other.says('answered again');
  }
  grtc.child.stdin.end(own.join(''));
}

function lines(id) {
  return Array.from({ length: LINES }, (_, index) => `${id} ${index + 1}`);
}

function events(said) {
  return said.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
}

/** Whether one side has heard each line of the other once, in their order. */
function inOrder(said, id) {
  const texts = said.split('\n').map((line) => (line.startsWith('{') ? (JSON.parse(line).text ?? '') : line));
  const heard = texts.filter((text) => text.startsWith(`${id} `));
  return heard.join() === lines(id).join();
}
