/** Streams between two sessions: whatever their programs do and however often the connection is cut, all of it arrives. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { Messages, Session, messageBytes } from '../../js/streams.js';
import { seenFromThere } from '../../js/streams/io.js';
import * as limits from '../../js/streams/limits.js';
import { fromHex } from '../../js/streams/wire.js';
import { seeded } from './world.js';

const RUNS = 100;

/** What a program knows of a stream. */
class View {
  written = 0;
  /** It writes no more, and whether all that it wrote has to arrive. @type {boolean | null} */
  ended = null;
  finished = false;
  acknowledged = 0;
  read = 0;
  /** It reads no more, and whether it has come to the end. @type {boolean | null} */
  over = null;
}

class Side {
  /** @type {Map<number, View>} */
  views = new Map();
  /** @type {Uint8Array[]} */
  underWay = [];

  /** @param {string} id */
  constructor(id) {
    this.session = new Session(id.repeat(16));
  }

  /** @param {number} stream */
  view(stream) {
    return /** @type {View} */ (this.views.get(stream));
  }
}

/** The byte at this position of what a side writes to a stream. @param {number} side @param {number} id @param {number} at */
const byteOf = (side, id, at) => (at * 7 + (at >> 8) * 13 + (side ? id : seenFromThere(id)) * 31 + side * 101) & 0xff;

class World {
  sides = /** @type {[Side, Side]} */ ([new Side('1'), new Side('2')]);
  now = 0;

  /** @param {number} seed */
  constructor(seed) {
    this.random = seeded(seed);
    this.connect();
  }

  /** @param {number} limit */
  below(limit) {
    return Math.floor(this.random() * limit);
  }

  connect() {
    for (const side of this.sides) {
      side.underWay = [];
      side.session.connected();
    }
  }

  /** What one of the programs or the connection does next. */
  step() {
    this.now += 7;
    const me = this.below(2);
    const side = /** @type {Side} */ (this.sides[me]);
    const stream = [...side.views.keys()][this.below(6)];
    const what = this.below(20);
    if (what === 0) this.cut();
    else if (what < 7) this.carry(me, this.below(9));
    else if (what < 10) this.send(me, this.below(9));
    else if (what === 10 && side.views.size < 6) this.open(side);
    else if (stream === undefined) return;
    else if (what < 14) this.write(me, stream, this.below(this.random() < 0.5 ? 100 : 100_000));
    else if (what < 18) this.read(me, stream, 1 + this.below(100_000));
    else if (what === 18) this.end(side, stream, this.random() < 0.7);
    else if (this.random() < 0.3) {
      side.session.stop(stream, 9, 'enough');
      side.view(stream).over ??= false;
    }
  }

  cut() {
    this.carry(0, this.below(5));
    this.carry(1, this.below(5));
    if (this.random() < 0.7) return this.connect();
    for (const side of this.sides) {
      side.underWay = [];
      side.session.disconnected();
    }
  }

  /** @param {Side} side */
  open(side) {
    const opened = side.session.open('test');
    assert.ok('ok' in opened);
    side.views.set(opened.ok, new View());
  }

  /** @param {Side} side @param {number} stream @param {boolean} all */
  end(side, stream, all) {
    if (all) side.session.finish(stream);
    else side.session.reset(stream, 9, 'no');
    const view = side.view(stream);
    if (!view.finished && view.ended !== false) view.ended = all;
  }

  /** @param {number} me @param {number} stream @param {number} count */
  write(me, stream, count) {
    const { session, views } = /** @type {Side} */ (this.sides[me]);
    const view = /** @type {View} */ (views.get(stream));
    const bytes = Uint8Array.from({ length: count }, (_, i) => byteOf(me, stream, view.written + i));
    const written = session.send(this.now, stream, bytes);
    if ('error' in written) return;
    assert.equal(view.ended, null);
    view.written += count;
    assert.equal(written.ok, view.written);
    assert.ok(session.held().waiting <= 12 * (limits.STREAM_WINDOW + limits.WRITE_BYTES));
  }

  /** @param {number} me @param {number} stream @param {number} most */
  read(me, stream, most) {
    const side = /** @type {Side} */ (this.sides[me]);
    const there = /** @type {Side} */ (this.sides[1 - me]);
    const [view, theirs] = [side.view(stream), seenFromThere(stream)];
    const read = side.session.read(this.now, stream, most);
    if (read === null) return false;
    assert.equal(view.over, null);
    if (read === 'end') {
      view.over = true;
      assert.equal(view.read, there.view(theirs).written);
      return true;
    }
    assert.ok(read.every((byte, i) => byte === byteOf(1 - me, theirs, view.read + i)));
    view.read += read.length;
    return true;
  }

  /** So many messages of this side set out. @param {number} me @param {number} count */
  send(me, count) {
    const { session, underWay } = /** @type {Side} */ (this.sides[me]);
    for (let i = 0; i < count; i += 1) {
      const message = session.pollTransmit();
      if (message) underWay.push(message);
    }
  }

  /** So many of them arrive. @param {number} me @param {number} count */
  carry(me, count) {
    for (let i = 0; i < count; i += 1) {
      this.send(me, 1);
      const message = this.sides[me]?.underWay.shift();
      if (!message) return;
      this.sides[1 - me]?.session.receive(message);
      this.told(1 - me);
    }
  }

  /** @param {number} me */
  told(me) {
    const side = /** @type {Side} */ (this.sides[me]);
    const there = /** @type {Side} */ (this.sides[1 - me]);
    for (let output = side.session.pollOutput(); output; output = side.session.pollOutput()) {
      if ('opened' in output) {
        assert.ok(!side.views.has(output.opened.stream));
        side.views.set(output.opened.stream, new View());
      } else if ('acknowledged' in output) {
        const { stream, position } = output.acknowledged;
        assert.ok(position > side.view(stream).acknowledged);
        assert.ok(position <= there.view(seenFromThere(stream)).read);
        side.view(stream).acknowledged = position;
      } else if ('finished' in output) {
        assert.equal(there.view(seenFromThere(output.finished.stream)).over, true);
        side.view(output.finished.stream).finished = true;
      } else if ('reset' in output) side.view(output.reset.stream).over = false;
      else if ('stopped' in output) side.view(output.stopped.stream).ended = false;
      else assert.ok('readable' in output || 'writable' in output || 'linked' in output, JSON.stringify(output));
    }
  }

  /** Everybody ends what is open and reads what comes, over a connection that holds. */
  comeToAnEnd() {
    this.connect();
    for (let turn = 0; turn < 1_000 && this.sides.some(({ session }) => session.held().streams > 0); turn += 1) {
      for (const [me, side] of this.sides.entries()) {
        for (const stream of side.views.keys()) {
          this.end(side, stream, true);
          while (this.read(me, stream, 50_000));
        }
        this.carry(me, 50);
      }
    }
  }

  check() {
    for (const [me, side] of this.sides.entries()) {
      assert.deepEqual(side.session.held(), { streams: 0, waiting: 0, unread: 0 });
      for (const [stream, view] of side.views) {
        const there = /** @type {Side} */ (this.sides[1 - me]).view(seenFromThere(stream));
        if (view.ended !== true || there.over === false) continue;
        assert.deepEqual([view.finished, there.read, view.acknowledged], [true, view.written, view.written]);
      }
    }
  }
}

test('streams: everything arrives once and in order over connections that are cut', () => {
  for (let seed = 1; seed <= RUNS; seed += 1) {
    const world = new World(seed);
    try {
      for (let i = 0; i < 200; i += 1) world.step();
      world.comeToAnEnd();
      world.check();
    } catch (error) {
      throw new Error(`with the seed ${seed}`, { cause: error });
    }
  }
});

test('streams: no bytes make a session throw', () => {
  const random = seeded(1);
  for (let run = 0; run < 5_000; run += 1) {
    const session = new Session('a'.repeat(16));
    session.connected();
    session.receive(fromHex(`0101${'b'.repeat(16)}${'0'.repeat(20)}02000178`));
    for (let i = 0; i < 5; i += 1) {
      const bytes = Uint8Array.from({ length: random() * 40 }, (_, at) => random() * (at < 2 ? 10 : 256));
      session.receive(bytes);
      session.receiveDatagram(bytes);
    }
    while (session.pollTransmit() || session.pollOutput());
  }
});

test('streams: messages come out of bytes that are cut anywhere', () => {
  const sent = [
    '',
    new Uint8Array(0),
    'é\u{feff}',
    new Uint8Array(20_000).fill(7),
    'ü'.repeat(limits.MESSAGE_BYTES / 2),
  ];
  const bytes = sent.flatMap((message) => [...messageBytes(message)]);
  for (const count of [1, 3, 1_000, bytes.length]) {
    const [messages, got] = [new Messages(), /** @type {unknown[]} */ ([])];
    for (let at = 0; at < bytes.length; at += count) {
      messages.push(Uint8Array.from(bytes.slice(at, at + count)));
      for (let message = messages.take(); message !== null; message = messages.take()) got.push(message);
    }
    assert.deepEqual(got, sent);
  }
  for (const none of ['03ff', 'ffffffffffffffff', '80080002']) {
    const messages = new Messages();
    messages.push(fromHex(none));
    assert.throws(() => messages.take());
  }
});

test('streams: the numbers are those of the native peer', () => {
  const rust = readFileSync(new URL('../../../protocol/src/streams/limits.rs', import.meta.url), 'utf8');
  const product = (/** @type {string} */ text) =>
    text.split('*').reduce((sum, part) => sum * (rustNumbers[part.trim()] ?? Number(part.replaceAll('_', ''))), 1);
  /** @type {Record<string, number>} */
  const rustNumbers = {};
  for (const [, name = '', text = ''] of rust.matchAll(/const (\w+): \w+ = ([^;]+);/g)) {
    rustNumbers[name] = text.split('+').reduce((sum, part) => sum + product(part), 0);
  }
  assert.deepEqual({ ...limits }, rustNumbers);
});
