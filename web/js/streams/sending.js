/** What this side writes to a stream: kept until the other side's program has it. */
import { Bytes } from './bytes.js';
import { put } from './frames.js';
import { outOfPlace } from './io.js';
import { PIECE_BYTES, STREAM_WINDOW, UNKNOWN_MS, WRITE_BYTES } from './limits.js';

/**
 * @typedef {import('./io.js').Output} Output
 * @typedef {import('./io.js').WriteError} WriteError
 */

export class Sending {
  #stream;
  /** What was written and not acknowledged. */
  #waiting = new Bytes();
  #acknowledged = 0;
  /** Where this connection goes on. */
  #next = 0;
  /** How far any connection has come. */
  #sent = 0;
  #limit = STREAM_WINDOW;
  /** How the writing ends. @type {'open' | 'finished' | 'done' | { code: number, reason: string }} */
  #end = 'open';
  /** The end has to be sent on this connection. */
  #endDue = false;
  /** An end was sent on some connection. */
  #endSent = false;
  /** The ends of writes, and when they were made, as long as nothing is said about them. @type {{ end: number, at: number }[]} */
  #writes = [];
  /** A write was refused, and the program not told since that there is room. */
  #refused = false;

  /** @param {number} stream */
  constructor(stream) {
    this.#stream = stream;
  }

  get isDone() {
    return this.#end === 'done';
  }

  /** Bytes that are held. */
  get waiting() {
    return this.#waiting.length;
  }

  get #written() {
    return this.#acknowledged + this.waiting;
  }

  get #isLive() {
    return this.#end === 'open' || this.#end === 'finished';
  }

  /** @param {boolean} sharedRoom */
  #room(sharedRoom) {
    return this.waiting < STREAM_WINDOW || (sharedRoom && this.waiting < this.#limit - this.#acknowledged);
  }

  /**
   * Takes a write as a whole. It ends at the position that it gives.
   * @param {number} now
   * @param {Uint8Array} bytes
   * @param {boolean} sharedRoom
   * @returns {{ ok: number } | { error: WriteError }}
   */
  send(now, bytes, sharedRoom) {
    if (this.#end !== 'open') return { error: 'ended' };
    if (bytes.length > WRITE_BYTES) return { error: 'too_long' };
    if (!this.#room(sharedRoom)) {
      this.#refused = true;
      return { error: 'full' };
    }
    this.#waiting.push(bytes);
    const end = this.#written;
    const last = this.#writes.at(-1);
    if (last?.at === now) last.end = end;
    else if (bytes.length > 0) this.#writes.push({ end, at: now });
    return { ok: end };
  }

  /** A write was refused, and there is room now. @param {boolean} sharedRoom */
  hasRoomAgain(sharedRoom) {
    const again = this.#refused && this.#end === 'open' && this.#room(sharedRoom);
    if (again) this.#refused = false;
    return again;
  }

  /** No more is written. Whether that is new. */
  finish() {
    if (this.#end !== 'open') return false;
    this.#end = 'finished';
    this.#endDue = true;
    return true;
  }

  /** What was written is given up. Whether that is new. @param {number} code @param {string} reason */
  reset(code, reason) {
    if (!this.#isLive) return false;
    this.#end = { code, reason };
    this.#endDue = true;
    this.#drop();
    return true;
  }

  #drop() {
    this.#waiting.clear();
    this.#writes = [];
  }

  /**
   * The other side's program has read up to `taken`, and `limit` may be sent.
   * @param {number} taken
   * @param {number} limit
   * @param {Output[]} outputs
   */
  taken(taken, limit, outputs) {
    const possible = taken >= this.#acknowledged && taken <= this.#sent && limit >= this.#limit && limit >= taken;
    if (!possible) throw outOfPlace('what was taken was not sent');
    this.#limit = limit;
    if (!this.#isLive || taken === this.#acknowledged) return;
    this.#waiting.skip(taken - this.#acknowledged);
    this.#acknowledged = taken;
    const left = this.#writes.findIndex(({ end }) => end > taken);
    this.#writes.splice(0, left < 0 ? this.#writes.length : left);
    outputs.push({ acknowledged: { stream: this.#stream, position: taken } });
  }

  /** The other side has done with it. @param {Output[]} outputs */
  done(outputs) {
    if (!this.#endSent) throw outOfPlace('done with a stream that goes on');
    if (this.#end === 'finished') {
      this.taken(this.#written, Math.max(this.#limit, this.#written), outputs);
      outputs.push({ finished: { stream: this.#stream } });
    }
    this.#end = 'done';
    this.#endDue = false;
    this.#drop();
  }

  /**
   * A connection begins, and the other side has this of it.
   * @param {import('./frames.js').StreamState} state
   * @param {Output[]} outputs
   */
  resume(state, outputs) {
    if (this.isDone && !state.done) throw outOfPlace('a stream is no longer done with');
    if (this.isDone) return;
    if (state.done) return this.done(outputs);
    if (state.received > this.#sent || state.received < state.taken || (state.finished && !this.#endSent)) {
      throw outOfPlace('what was received was not sent');
    }
    this.taken(state.taken, state.limit, outputs);
    this.#next = state.received;
    this.#endDue = this.#end === 'finished' ? !state.finished : this.#end !== 'open';
  }

  /** A connection begins, and the other side has nothing of it. */
  begin() {
    if (this.#acknowledged > 0 || this.isDone) throw outOfPlace('a stream was forgotten before its end');
    this.#next = 0;
    this.#endDue = this.#end !== 'open';
  }

  /** There is something to send on this connection. */
  get isDue() {
    const behind = this.#end === 'finished' && this.#next < this.#written;
    return (this.#endDue && !behind) || this.#piece > 0;
  }

  get #piece() {
    if (!this.#isLive) return 0;
    return Math.min(Math.max(Math.min(this.#written, this.#limit) - this.#next, 0), PIECE_BYTES);
  }

  /** Writes the next frames of it; whether there was data. @param {import('./wire.js').Writer} out */
  put(out) {
    const [stream, count] = [this.#stream, this.#piece];
    if (count > 0) {
      const bytes = this.#waiting.copy(this.#next - this.#acknowledged, count);
      put(out, { kind: 'data', stream, position: this.#next, bytes });
      this.#next += count;
      this.#sent = Math.max(this.#sent, this.#next);
    }
    const reset = typeof this.#end === 'object';
    if (this.#endDue && (reset || this.#next === this.#written)) {
      put(out, typeof this.#end === 'object' ? { kind: 'reset', stream, ...this.#end } : { kind: 'finish', stream });
      this.#endDue = false;
      this.#endSent = true;
    }
    return count > 0;
  }

  /** When a write becomes unknown. @returns {number | null} */
  get timeout() {
    const first = this.#writes[0];
    return first ? first.at + UNKNOWN_MS : null;
  }

  /** Says what is unknown by now. @param {number} now @param {Output[]} outputs */
  unknown(now, outputs) {
    const known = this.#writes.findIndex(({ at }) => at + UNKNOWN_MS > now);
    const unknown = this.#writes.splice(0, known < 0 ? this.#writes.length : known).at(-1);
    if (unknown) outputs.push({ unknown: { stream: this.#stream, position: unknown.end } });
  }
}
