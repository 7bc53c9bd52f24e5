/** One side of a pair, and what its program does with streams. Pure: no clock, no randomness, no I/O. */
import { Datagrams } from './datagrams.js';
import { framesOf, put } from './frames.js';
import { Breach, CODE, outOfPlace, seenFromThere } from './io.js';
import { DATAGRAM_BYTES, LABEL_BYTES, REASON_BYTES, SHARED_WINDOW } from './limits.js';
import { Table } from './table.js';
import { Reader, Writer, encode, shortened } from './wire.js';

/**
 * @typedef {import('./io.js').StreamId} StreamId
 * @typedef {import('./io.js').Output} Output
 * @typedef {import('./io.js').WriteError} WriteError
 */

const NOBODY = '0'.repeat(16);

/** The machine for one remote peer. Times are milliseconds of any clock that does not go back. */
export class Session {
  #id;
  /** Whom this side talks to. */
  #other = NOBODY;
  /** It has heard of this side. */
  #met = false;
  #up = false;
  #helloSent = false;
  #helloReceived = false;
  #table = new Table();
  /** @type {Datagrams<Uint8Array>} */
  #datagramsOut = new Datagrams();
  /** @type {Datagrams<[StreamId, Uint8Array]>} */
  #datagramsIn = new Datagrams();
  /** Why it is over; `due`: the other side has to be told. @type {{ code: number, reason: string, due: boolean } | null} */
  #end = null;

  /** @param {string} id 16 hexadecimal digits: random, and not all zeros */
  constructor(id) {
    this.#id = id;
  }

  /** What to tell the program next. @returns {Output | null} */
  pollOutput() {
    return this.#table.outputs.shift() ?? null;
  }

  /** What it holds: streams that have not ended on both sides, bytes not acknowledged, bytes not read. */
  held() {
    const streams = [...this.#table.streams.values()];
    const waiting = streams.reduce((sum, { sending }) => sum + sending.waiting, 0);
    const unread = streams.reduce((sum, { receiving }) => sum + receiving.unread, 0);
    return { streams: streams.length, waiting, unread };
  }

  /** When `handleTimeout` is due. @returns {number | null} */
  pollTimeout() {
    const times = [...this.#table.streams.values()].map(({ sending }) => sending.timeout ?? Infinity);
    const first = Math.min(...times);
    return first === Infinity ? null : first;
  }

  /** Says which writes have become unknown. @param {number} now */
  handleTimeout(now) {
    for (const { sending } of this.#table.streams.values()) sending.unknown(now, this.#table.outputs);
  }

  // ---- what the program does

  /**
   * Opens a stream, which both sides may write to at once. The label says what it is for.
   * @param {string} label
   * @returns {{ ok: StreamId } | { error: WriteError }}
   */
  open(label) {
    if (this.#end) return { error: 'ended' };
    if (!label || encode(label).length > LABEL_BYTES) return { error: 'too_long' };
    if (this.#table.isFull(true)) return { error: 'too_many' };
    return { ok: this.#table.open(label) };
  }

  /**
   * Writes to a stream, all or nothing (`write` in Rust). The position that it gives is acknowledged when the other side's program has it.
   * @param {number} now
   * @param {StreamId} stream
   * @param {Uint8Array} bytes
   * @returns {{ ok: number } | { error: WriteError }}
   */
  send(now, stream, bytes) {
    const { sharedRoom } = this.#table;
    const written = this.#stream(stream)?.sending.send(now, bytes, sharedRoom) ?? { error: 'ended' };
    this.#table.queue(stream);
    return written;
  }

  /** Writes no more; what was written still arrives. The other side may go on. @param {StreamId} stream */
  finish(stream) {
    this.#stream(stream)?.sending.finish();
    this.#table.queue(stream);
  }

  /**
   * Gives up what this side writes, with the reason (cut to its bound).
   * @param {StreamId} stream
   * @param {number} code
   * @param {string} reason
   */
  reset(stream, code, reason) {
    this.#stream(stream)?.sending.reset(code, shortened(reason, REASON_BYTES));
    this.#table.queue(stream);
    this.#table.wakeWriters();
  }

  /**
   * Reads no more, and asks the other side to write no more.
   * @param {StreamId} stream
   * @param {number} code
   * @param {string} reason
   */
  stop(stream, code, reason) {
    this.#stream(stream)?.receiving.stop(code, shortened(reason, REASON_BYTES));
    this.#table.queue(stream);
  }

  /**
   * Takes up to `most` bytes that have come, or the end. What is taken counts as had by the program.
   * @param {number} now
   * @param {StreamId} stream
   * @param {number} [most]
   */
  read(now, stream, most = Infinity) {
    let spare = SHARED_WINDOW;
    for (const { receiving } of this.#table.streams.values()) spare -= receiving.sharedWindow;
    const read = this.#stream(stream)?.receiving.read(now, most, spare) ?? null;
    this.#table.queue(stream);
    return read;
  }

  /** Ends the session and tells the other side why. @param {string} reason */
  close(reason) {
    this.#finish(CODE.CLOSED, shortened(reason, REASON_BYTES), true);
  }

  /** @param {StreamId} id */
  #stream(id) {
    return this.#table.streams.get(id);
  }

  /** Nothing is held for a session that is over. @param {number} code @param {string} reason @param {boolean} due */
  #finish(code, reason, due) {
    if (this.#end) return;
    this.#end = { code, reason, due };
    this.#table.outputs.push({ ended: { code, reason } });
    this.#forgetAll();
  }

  #forgetAll() {
    this.#table.clear();
    this.#datagramsOut.clear();
    this.#datagramsIn.clear();
  }

  // ---- connections

  /** There is a new connection in place of the last one, of which nothing may come any more. */
  connected() {
    this.disconnected();
    this.#up = true;
  }

  /** The connection is gone. */
  disconnected() {
    this.#up = this.#helloSent = this.#helloReceived = false;
  }

  /** Takes a message of the connection. One that breaks a rule ends the session. @param {Uint8Array} message */
  receive(message) {
    if (this.#end || !this.#up) return;
    try {
      for (const frame of framesOf(message)) {
        this.#frame(frame);
        if (this.#end) return;
      }
    } catch (error) {
      if (!(error instanceof Breach)) throw error;
      this.#finish(error.code, error.message, true);
    }
    this.#table.wakeWriters();
  }

  /** @param {import('./frames.js').Frame} frame */
  #frame(frame) {
    if (frame.kind === 'end') return this.#finish(frame.code, frame.reason, false);
    if (frame.kind === 'hello') return this.#helloCame(frame.hello);
    if (!this.#helloReceived) throw outOfPlace('a frame before the hello');
    this.#met = true;
    this.#table.handle(frame);
  }

  /** @param {import('./frames.js').Hello} hello */
  #helloCame(hello) {
    if (this.#helloReceived) throw outOfPlace('a second hello');
    if (hello.session === this.#id || hello.session === NOBODY) throw outOfPlace("a session that can't be");
    const knows = hello.known === this.#id;
    const another = this.#other !== NOBODY && this.#other !== hello.session;
    const restarted = another || (this.#met && !knows);
    if (restarted) {
      this.#table.restarted();
      this.#datagramsOut.clear();
      this.#datagramsIn.clear();
    }
    [this.#other, this.#met] = [hello.session, knows];
    this.#helloReceived = true;
    this.#table.resume(hello, knows);
    this.#table.outputs.push({ linked: { restarted } });
    this.#table.queueAll();
  }

  /** The next message for the connection. Ask when the connection takes one. @returns {Uint8Array | null} */
  pollTransmit() {
    if (!this.#up) return null;
    if (this.#end) return this.#goodbye(this.#end);
    if (!this.#helloSent) return this.#hello();
    return this.#helloReceived ? this.#table.turns() : null;
  }

  /** @param {{ code: number, reason: string, due: boolean }} end */
  #goodbye(end) {
    if (!end.due) return null;
    end.due = false;
    return framed({ kind: 'end', code: end.code, reason: end.reason });
  }

  /** Who this is, and what it has of each stream. */
  #hello() {
    this.#helloSent = true;
    const streams = [...this.#table.streams.values()].map(({ receiving }) => receiving.say());
    const hello = { session: this.#id, known: this.#other, next: this.#table.nextOther, streams };
    return framed({ kind: 'hello', hello });
  }

  // ---- datagrams: each belongs to a stream, and none is certain to arrive

  /**
   * Sends a datagram, as soon as there is a connection that has room. Of many that wait the oldest are lost.
   * @param {StreamId} stream
   * @param {Uint8Array} bytes
   * @returns {{ ok: null } | { error: WriteError }}
   */
  sendDatagram(stream, bytes) {
    if (bytes.length > DATAGRAM_BYTES) return { error: 'too_long' };
    if (!this.#stream(stream)) return { error: 'ended' };
    const out = new Writer();
    out.number(stream);
    out.raw(bytes);
    this.#datagramsOut.push(out.done());
    return { ok: null };
  }

  /** The next message for the channel of datagrams. */
  pollDatagram() {
    return this.#helloReceived ? this.#datagramsOut.take() : null;
  }

  /** Takes a message of that channel. One that is none, or of a stream that is not there, is dropped. @param {Uint8Array} message */
  receiveDatagram(message) {
    const datagram = readDatagram(message);
    if (datagram && datagram[1].length <= DATAGRAM_BYTES && this.#stream(datagram[0])) this.#datagramsIn.push(datagram);
  }

  /** The next datagram that has come, and its stream. */
  readDatagram() {
    return this.#datagramsIn.take();
  }
}

/** @param {Uint8Array} message @returns {[StreamId, Uint8Array] | null} */
function readDatagram(message) {
  try {
    const reader = new Reader(message);
    return [seenFromThere(reader.number()), reader.take(reader.left).slice()];
  } catch {
    return null;
  }
}

/** @param {import('./frames.js').Frame} frame */
function framed(frame) {
  const out = new Writer();
  put(out, frame);
  return out.done();
}
