/**
 * What is said over the streams of one pair: each message arrives once and in order, over however many connections, and who
 * sends it learns that the other side's program has it.
 */
import { CODE, Messages, Session, messageBytes } from './streams.js';
import { UNKNOWN_MS } from './streams/limits.js';

/**
 * What became of a message.
 * - `delivered`: the other side's program has it
 * - `unknown`: nobody knows; it may have arrived, and it may still arrive
 * @typedef {'delivered' | 'unknown'} Outcome
 */
/**
 * The connection that there is now.
 * @typedef {object} Link
 * @property {boolean} takesFrames
 * @property {(bytes: Uint8Array<ArrayBuffer>) => void} sendFrames
 */
/**
 * @typedef {object} DeliveryEvents
 * @property {(text: string) => void} message
 * @property {(restarted: boolean) => void} linked messages go; `restarted`: the other side's program is another one
 * @property {(reason: string, closed: boolean) => void} ended the other side's program is of no use any more; `closed`: it said so itself
 */
/** @typedef {{ bytes: Uint8Array, end: number, at: number, done: (outcome: Outcome) => void, failed: (error: Error) => void }} Sent */

const LABEL = 'chat';
/** Sends that may wait for room at once. */
const SENDS_WAITING = 256;
/** The code of a stream that nobody here can do anything with. */
const REFUSED = 2;

export class Delivery {
  #session = new Session(randomId());
  #over = false;
  /** @type {Link | null} */
  #link = null;
  /** The stream that this side writes to. @type {number | null} */
  #stream = null;
  /** What is being read, by its stream. @type {Map<number, Messages>} */
  #reading = new Map();
  /** Written and not acknowledged, in order. @type {Sent[]} */
  #sent = [];
  /** For which there was no room yet. @type {Sent[]} */
  #waiting = [];
  /** Outputs are being handled: what there is to say goes when that is over. */
  #busy = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #events;
  #now;

  /** @param {DeliveryEvents} events @param {() => number} now */
  constructor(events, now) {
    this.#events = events;
    this.#now = now;
  }

  /** There is a new connection in place of the last one. @param {Link} link */
  connected(link) {
    if (this.#over) this.#session = new Session(randomId());
    this.#over = false;
    this.#link = link;
    this.#session.connected();
    this.#write();
    this.#go();
  }

  /** The connection is gone. */
  disconnected() {
    this.#link = null;
    this.#session.disconnected();
  }

  /** @param {Uint8Array} bytes frames of the connection */
  receive(bytes) {
    this.#session.receive(bytes);
    this.#go();
  }

  /** The connection takes more. */
  writable() {
    this.#go();
  }

  /**
   * Sends one message, after those before it, as soon as there is a connection.
   * @param {string} text
   * @returns {Promise<Outcome>}
   */
  send(text) {
    return new Promise((done, failed) => {
      if (this.#waiting.length >= SENDS_WAITING) throw new Error('too much is waiting to be sent');
      this.#waiting.push({ bytes: messageBytes(text), end: 0, at: this.#now(), done, failed });
      this.#write();
      this.#go();
    });
  }

  /** Nobody is there any more who could acknowledge what was sent. @param {string} reason */
  abandon(reason) {
    clearTimeout(this.#timer);
    [this.#over, this.#link, this.#stream] = [true, null, null];
    this.#reading.clear();
    this.#fail(reason);
  }

  #go() {
    if (this.#busy) return;
    this.#busy = true;
    for (let output = this.#session.pollOutput(); output; output = this.#session.pollOutput()) this.#handle(output);
    this.#busy = false;
    this.#transmit();
    this.#schedule();
  }

  #transmit() {
    while (this.#link?.takesFrames) {
      const bytes = this.#session.pollTransmit();
      if (!bytes) return;
      this.#link.sendFrames(/** @type {Uint8Array<ArrayBuffer>} */ (bytes));
    }
  }

  /** @param {boolean} restarted */
  #linked(restarted) {
    // It tells the other side that its hello has come.
    this.#open();
    this.#events.linked(restarted);
  }

  #open() {
    if (this.#stream !== null) return;
    const opened = this.#session.open(LABEL);
    if ('ok' in opened) this.#stream = opened.ok;
  }

  /** Writes what waits, as far as there is room. */
  #write() {
    for (let next = this.#waiting[0]; next && !this.#over; next = this.#waiting[0]) {
      this.#open();
      if (this.#stream === null) return;
      const written = this.#session.send(this.#now(), this.#stream, next.bytes);
      if ('error' in written) return;
      this.#waiting.shift();
      this.#sent.push({ ...next, end: written.ok });
    }
  }

  /** @param {import('./streams/io.js').Output} output */
  #handle(output) {
    if ('linked' in output) this.#linked(output.linked.restarted);
    else if ('opened' in output) this.#opened(output.opened);
    else if ('readable' in output) this.#read(output.readable.stream);
    else if ('acknowledged' in output) this.#settle(output.acknowledged.position, 'delivered');
    else if ('unknown' in output) this.#settle(output.unknown.position, 'unknown');
    else if ('writable' in output) this.#write();
    else if ('reset' in output) this.#reset(output.reset.stream, output.reset.code, output.reset.reason);
    else if ('stopped' in output) this.#streamOver(output.stopped.stream, output.stopped.reason);
    else if ('ended' in output) this.#ended(output.ended);
  }

  /** @param {{ stream: number, label: string }} opened */
  #opened({ stream, label }) {
    if (label === LABEL) {
      this.#reading.set(stream, new Messages());
      return this.#session.finish(stream);
    }
    this.#session.reset(stream, REFUSED, 'nobody here knows such a stream');
    this.#session.stop(stream, REFUSED, 'nobody here knows such a stream');
  }

  /** @param {number} stream */
  #read(stream) {
    const messages = this.#reading.get(stream);
    for (let read = this.#session.read(this.#now(), stream); read; read = this.#session.read(this.#now(), stream)) {
      if (read === 'end') {
        this.#reading.delete(stream);
        return;
      }
      messages?.push(read);
      if (messages && !this.#tell(messages)) return this.#refuse(stream);
    }
  }

  /** Whether what came was messages. @param {Messages} messages */
  #tell(messages) {
    try {
      for (let message = messages.take(); message !== null; message = messages.take()) {
        if (typeof message === 'string') this.#events.message(message);
      }
      return true;
    } catch {
      return false;
    }
  }

  /** @param {number} stream */
  #refuse(stream) {
    this.#reading.delete(stream);
    this.#session.stop(stream, REFUSED, 'what came is no message');
  }

  /** @param {number} position @param {Outcome} outcome */
  #settle(position, outcome) {
    while (this.#sent[0] && this.#sent[0].end <= position) this.#sent.shift()?.done(outcome);
  }

  /** @param {number} stream @param {number} code @param {string} reason */
  #reset(stream, code, reason) {
    this.#reading.delete(stream);
    if (code === CODE.RESTARTED) this.#streamOver(stream, reason);
  }

  /** @param {number} stream @param {string} reason */
  #streamOver(stream, reason) {
    if (stream !== this.#stream) return;
    this.#stream = null;
    this.#fail(reason);
  }

  /** @param {{ code: number, reason: string }} end */
  #ended({ code, reason }) {
    this.#over = true;
    this.#stream = null;
    this.#reading.clear();
    this.#transmit();
    this.#fail(reason);
    this.#events.ended(reason, code === CODE.CLOSED);
  }

  /** @param {string} reason */
  #fail(reason) {
    const failed = [...this.#sent, ...this.#waiting];
    this.#sent = [];
    this.#waiting = [];
    for (const { failed: fail } of failed) fail(new Error(reason));
  }

  #schedule() {
    clearTimeout(this.#timer);
    const first = Math.min(this.#session.pollTimeout() ?? Infinity, (this.#waiting[0]?.at ?? Infinity) + UNKNOWN_MS);
    if (first !== Infinity) this.#timer = setTimeout(() => this.#timeout(), Math.max(0, first - this.#now()));
  }

  #timeout() {
    const now = this.#now();
    this.#session.handleTimeout(now);
    while (this.#waiting[0] && this.#waiting[0].at + UNKNOWN_MS <= now) {
      this.#waiting.shift()?.failed(new Error('there was no room for it'));
    }
    this.#go();
  }
}

/** Sixteen hexadecimal digits, not all of them zeros. @returns {string} */
function randomId() {
  const id = [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return /[^0]/.test(id) ? id : randomId();
}
