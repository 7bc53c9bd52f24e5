/** Nothing is lost, doubled or out of order in either direction, wherever a connection breaks. */
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import { Session } from '../../js/session.js';
import { FakeSocket } from './fake_socket.js';
import { seeded } from './world.js';

mock.timers.enable({ apis: ['setTimeout'] });
let now = 0;

/** @param {number} ms */
function pass(ms) {
  now += ms;
  mock.timers.tick(ms);
}

/** What the contract says of a server, over a link that can be cut with all that is on it. */
class Server {
  /** All frames to the client, from the first. @type {object[]} */
  out = [];
  /** Where the counting of each token began: of the one that the client came with, and of the one that it got. @type {Map<string, number>} */
  tokens = new Map();
  joins = 0;
  /** How many broadcasts there were before the client joined. */
  missed = 0;
  /** What was taken, in order. @type {unknown[]} */
  got = [];
  /** @type {Set<string>} */
  known = new Set();
  /** @type {{ socket: FakeSocket, up: string[], down: object[] } | null} */
  link = null;

  /** @param {string} url */
  connect = (url) => {
    const socket = new FakeSocket();
    const link = { socket, up: /** @type {string[]} */ ([]), down: /** @type {object[]} */ ([]) };
    socket.send = (/** @type {string} */ text) => void link.up.push(text);
    const query = new URL(url).searchParams;
    const base = this.tokens.get(query.get('resume') ?? '');
    const first = query.get('resume') === '';
    assert.ok(first || base !== undefined, `a stranger: ${url}`);
    const from = first ? this.out.length : Number(base) + Number(query.get('received'));
    const token = `t${this.joins}`;
    this.tokens = new Map(first ? [] : [[String(query.get('resume')), Number(base)]]).set(token, from);
    this.joins += 1;
    if (first) this.missed = this.out.filter((frame) => 'data' in frame).length;
    link.down.push({ resume_token: token, ...(first ? {} : { recovered: true }) }, ...this.out.slice(from));
    this.link = link;
    return socket;
  };

  /** @param {object} frame */
  tell(frame) {
    this.out.push(frame);
    this.link?.down.push(frame);
  }

  take() {
    const text = this.link?.up.shift();
    if (text === undefined) return;
    const { type, id, data } = JSON.parse(text);
    if (type === 'ping') return this.tell({ type: 'pong' });
    if (!this.known.has(id)) this.got.push(data);
    this.known.add(id);
    this.tell({ type: 'ack', ref: id });
  }

  cut() {
    const link = this.link;
    this.link = null;
    link?.socket.end(1006);
  }
}

/** One random course of things. @param {number} seed @returns how often the connection was cut */
function course(seed) {
  const random = seeded(seed);
  const server = new Server();
  const made = new Session({
    url: (query) => `ws://x/?${new URLSearchParams(query)}`,
    webSocket: server.connect,
    random: () => 0.5,
    now: () => now,
    waking: () => () => {},
  });
  made.open();
  /** @type {unknown[]} */
  const heard = [];
  const hear = () => {
    const frame = /** @type {any} */ (server.link?.down.shift());
    if (!frame) return;
    if ('resume_token' in frame) {
      server.link?.socket.accept();
      made.joined(frame);
    } else if (frame.type === 'ack') made.answered(frame.ref);
    else if ('data' in frame) heard.push(frame.data);
  };
  made.on('message', () => {});
  const deliver = () => {
    const frame = /** @type {any} */ (server.link?.down[0]);
    // As it comes from a socket: counted first, then read.
    if (frame && !('resume_token' in frame)) server.link?.socket.say(JSON.stringify(frame));
    hear();
  };
  const counts = { sent: 0, told: 0, cuts: 0 };
  const steps = [
    () => made.keeps && made.send({ type: 'broadcast', data: counts.sent }) && (counts.sent += 1),
    () => server.tell({ type: 'broadcast_message', data: counts.told++ }),
    deliver,
    deliver,
    deliver,
    () => server.take(),
    () => server.take(),
    () => pass(100),
    () => random() < 0.4 && server.link && ((counts.cuts += 1), server.cut()),
  ];
  for (let step = 0; step < 400; step += 1) steps[Math.floor(random() * steps.length)]?.();
  for (let turn = 0; turn < 500; turn += 1) {
    pass(100);
    deliver();
    server.take();
  }
  const upTo = (/** @type {number} */ count) => Array.from({ length: count }, (_, i) => i);
  assert.deepEqual(server.got, upTo(counts.sent), `to the server, seed ${seed}`);
  assert.deepEqual(heard, upTo(counts.told).slice(server.missed), `from the server, seed ${seed}`);
  made.close();
  return { ...counts, heard: heard.length };
}

test('whatever is cut when, each side has what the other one said, once and in order', () => {
  const sums = { sent: 0, heard: 0, cuts: 0 };
  for (let seed = 1; seed <= 200; seed += 1) {
    const { sent, heard, cuts } = course(seed);
    sums.sent += sent;
    sums.heard += heard;
    sums.cuts += cuts;
  }
  assert.ok(sums.sent > 5_000 && sums.heard > 5_000 && sums.cuts > 1_000, JSON.stringify(sums));
});
