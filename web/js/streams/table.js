/** The streams of a session: whose turn it is, and what the other side says of them. */
import { put } from './frames.js';
import { CODE, beyond, isOwn, numberOf, outOfPlace, seenFromThere } from './io.js';
import { SMALL_BYTES, STREAMS, WAITING_BYTES } from './limits.js';
import { Receiving } from './receiving.js';
import { Sending } from './sending.js';
import { Writer } from './wire.js';

/**
 * @typedef {import('./io.js').StreamId} StreamId
 * @typedef {import('./frames.js').StreamFrame} StreamFrame
 * @typedef {import('./frames.js').Hello} Hello
 */
/**
 * One stream. `openDue`: the other side has to be told that there is one. `queued`: it waits for its turn.
 * @typedef {{ label: string, openDue: boolean, queued: boolean, sending: Sending, receiving: Receiving }} Stream
 */

const FORGOTTEN = 'a stream was forgotten before its end';

export class Table {
  /** In the order in which they came to be. @type {Map<StreamId, Stream>} */
  streams = new Map();
  /** @type {import('./io.js').Output[]} */
  outputs = [];
  /** The least number that the other side may open. */
  nextOther = 0;
  /** The number of the next stream that this side opens. */
  #nextOwn = 0;
  /** Those that have something to send, in the order of their turns. @type {StreamId[]} */
  #ready = [];

  /** @param {boolean} own */
  isFull(own) {
    return [...this.streams.keys()].filter((id) => isOwn(id) === own).length >= STREAMS;
  }

  /** @param {string} label @returns {StreamId} */
  open(label) {
    const id = this.#nextOwn * 2;
    this.#nextOwn += 1;
    this.#add(id, label);
    this.queue(id);
    return id;
  }

  /** @param {StreamId} id @param {string} label */
  #add(id, label) {
    const [sending, receiving] = [new Sending(id), new Receiving(id)];
    this.streams.set(id, { label, openDue: isOwn(id), queued: false, sending, receiving });
  }

  clear() {
    this.streams.clear();
    this.#ready = [];
  }

  /** Gives a stream its turn, if it has something to send; drops it, if it never will. @param {StreamId} id */
  queue(id) {
    const stream = this.streams.get(id);
    if (!stream) return;
    const { sending, receiving } = stream;
    if (sending.isDone && receiving.isDoneAndSaid) {
      this.streams.delete(id);
    } else if (!stream.queued && (stream.openDue || receiving.isDue || sending.isDue)) {
      stream.queued = true;
      this.#ready.push(id);
    }
  }

  /** All streams together have room for more. */
  get sharedRoom() {
    let waiting = 0;
    for (const { sending } of this.streams.values()) waiting += sending.waiting;
    return waiting < WAITING_BYTES;
  }

  /** Tells those that had no room that they have it. */
  wakeWriters() {
    const { sharedRoom } = this;
    for (const [stream, { sending }] of this.streams) {
      if (sending.hasRoomAgain(sharedRoom)) this.outputs.push({ writable: { stream } });
    }
  }

  /** Frames of as many streams as go together, up to the first with data. @returns {Uint8Array | null} */
  turns() {
    const out = new Writer();
    for (let id = this.#ready.shift(); id !== undefined; id = this.#ready.shift()) {
      const stream = this.streams.get(id);
      if (!stream) continue;
      stream.queued = false;
      if (stream.openDue) put(out, { kind: 'open', stream: id, label: stream.label });
      stream.openDue = false;
      stream.receiving.put(out);
      const data = stream.sending.put(out);
      this.queue(id);
      if (data || out.length >= SMALL_BYTES) break;
    }
    return out.length > 0 ? out.done() : null;
  }

  /** A connection begins. @param {Hello} hello @param {boolean} knows the other side knows this session */
  resume(hello, knows) {
    this.#ready = [];
    for (const [id, stream] of this.streams) {
      stream.queued = false;
      this.#resumeOne(id, stream, hello, knows);
    }
  }

  /**
   * @param {StreamId} id
   * @param {Stream} stream
   * @param {Hello} hello
   * @param {boolean} knows
   */
  #resumeOne(id, stream, hello, knows) {
    const { sending, receiving } = stream;
    const state = knows ? hello.streams.find((known) => known.stream === seenFromThere(id)) : undefined;
    if (state) {
      stream.openDue = false;
      receiving.resume();
      sending.resume(state, this.outputs);
    } else if (isOwn(id) && !(knows && numberOf(id) < hello.next)) {
      // The other side has never heard of it.
      stream.openDue = true;
      receiving.resume();
      sending.begin();
    } else {
      // It has forgotten it: nothing is left to say there.
      if (!knows || !receiving.isDone) throw outOfPlace(FORGOTTEN);
      if (!sending.isDone) sending.done(this.outputs);
    }
  }

  queueAll() {
    for (const id of [...this.streams.keys()]) this.queue(id);
  }

  /** The other side knows nothing of what was. */
  restarted() {
    for (const stream of this.streams.keys()) {
      this.outputs.push({ reset: { stream, code: CODE.RESTARTED, reason: 'the other side was restarted' } });
    }
    this.clear();
    this.nextOther = 0;
  }

  /** @param {StreamFrame} frame */
  handle(frame) {
    const id = seenFromThere(frame.stream);
    if (frame.kind === 'open') return this.#opened(id, frame.label);
    const stream = this.streams.get(id);
    if (frame.kind === 'reset' || frame.kind === 'stop') {
      if (stream) this.#givenUp(id, stream, frame);
      else this.#was(id);
      return;
    }
    if (!stream) throw outOfPlace('a frame of no known stream');
    if (frame.kind === 'data') stream.receiving.data(frame.position, frame.bytes);
    else if (frame.kind === 'finish') stream.receiving.finish();
    else if (frame.kind === 'taken') stream.sending.taken(frame.taken, frame.limit, this.outputs);
    else stream.sending.done(this.outputs);
    if (stream.receiving.isNews()) this.outputs.push({ readable: { stream: id } });
    this.queue(id);
  }

  /** @param {StreamId} id @param {string} label */
  #opened(id, label) {
    if (isOwn(id) || numberOf(id) < this.nextOther || !label) throw outOfPlace("a stream that can't be opened");
    if (this.isFull(false)) throw beyond('too many streams');
    this.nextOther = numberOf(id) + 1;
    this.#add(id, '');
    this.outputs.push({ opened: { stream: id, label } });
  }

  /** @param {StreamId} id @param {Stream} stream @param {{ kind: 'reset' | 'stop', code: number, reason: string }} frame */
  #givenUp(id, { sending, receiving }, { kind, code, reason }) {
    const said = { stream: id, code, reason };
    if (kind === 'reset' && receiving.reset()) this.outputs.push({ reset: said });
    if (kind === 'stop' && sending.reset(code, reason)) this.outputs.push({ stopped: said });
    this.queue(id);
  }

  /** A stream that was there once: what crossed its end means nothing. @param {StreamId} id */
  #was(id) {
    const next = isOwn(id) ? this.#nextOwn : this.nextOther;
    if (numberOf(id) >= next) throw outOfPlace('a frame of no known stream');
  }
}
