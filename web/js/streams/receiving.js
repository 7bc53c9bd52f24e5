/** What the other side writes to a stream: kept until this side's program reads it. */
import { Bytes } from './bytes.js';
import { put } from './frames.js';
import { beyond, outOfPlace } from './io.js';
import { STREAM_WINDOW, STREAM_WINDOW_MAX, WINDOW_MS } from './limits.js';

export class Receiving {
  #stream;
  #unread = new Bytes();
  #received = 0;
  #taken = 0;
  #limit = STREAM_WINDOW;
  #window = STREAM_WINDOW;
  /** When the limit was last moved. @type {number | null} */
  #granted = null;
  /** `finished`: no more comes, but the program has not read all. @type {'open' | 'finished' | 'done'} */
  #end = 'open';
  /** The program wants no more of it. @type {{ code: number, reason: string } | null} */
  #stopped = null;
  #stopDue = false;
  #takenDue = false;
  #doneDue = false;
  /** The program was told that there is something, and has not seen that there is nothing. */
  #told = false;

  /** @param {number} stream */
  constructor(stream) {
    this.#stream = stream;
  }

  get isDone() {
    return this.#end === 'done';
  }

  /** The other side may know that it is done with. */
  get isDoneAndSaid() {
    return this.isDone && !this.#doneDue;
  }

  /** Bytes that are held. */
  get unread() {
    return this.#unread.length;
  }

  /** What it has of the window that all streams share. */
  get sharedWindow() {
    return this.#window - STREAM_WINDOW;
  }

  /** Takes the next bytes. @param {number} position @param {Uint8Array} bytes */
  data(position, bytes) {
    if (this.#end !== 'open' || position !== this.#received) throw outOfPlace('a piece is not the next one');
    this.#received += bytes.length;
    if (this.#received > this.#limit) throw beyond('more was sent than may be');
    if (!this.#stopped) this.#unread.push(bytes);
  }

  /** No more comes. */
  finish() {
    if (this.#end !== 'open') throw outOfPlace('a stream ends twice');
    this.#end = 'finished';
  }

  /** What has come is void. Whether the program does not know that yet. */
  reset() {
    if (this.isDone) return false;
    this.#leave();
    return !this.#stopped;
  }

  #leave() {
    this.#end = 'done';
    this.#doneDue = true;
    this.#stopDue = this.#takenDue = false;
    this.#unread.clear();
    this.#window = STREAM_WINDOW;
  }

  /**
   * The program wants no more: it ends with the reset that the other side answers. Whether that is new.
   * @param {number} code
   * @param {string} reason
   */
  stop(code, reason) {
    if (this.isDone || this.#stopped) return false;
    this.#stopped = { code, reason };
    this.#unread.clear();
    this.#stopDue = true;
    this.#takenDue = false;
    return true;
  }

  /** There is something that the program was not told of: now it is. */
  isNews() {
    const something = !this.#stopped && (this.unread > 0 || this.#end === 'finished');
    const news = something && !this.#told;
    if (news) this.#told = true;
    return news;
  }

  /**
   * Gives up to `most` bytes. `spare` is what is left of the window that all streams share.
   * @param {number} now
   * @param {number} most
   * @param {number} spare
   * @returns {Uint8Array | 'end' | null}
   */
  read(now, most, spare) {
    if (this.#stopped || this.isDone) return null;
    if (this.unread === 0) {
      this.#told = false;
      if (this.#end === 'open') return null;
      this.#leave();
      return 'end';
    }
    const bytes = this.#unread.take(most);
    this.#taken += bytes.length;
    this.#takenDue = true;
    this.#told = this.unread > 0 || this.#end !== 'open';
    if (this.#limit - this.#taken <= this.#window / 2) this.#grant(now, spare);
    return bytes;
  }

  /**
   * Moves the limit. A window that the program reads in a short time grows, so that in the end it holds about two seconds.
   * @param {number} now
   * @param {number} spare
   */
  #grant(now, spare) {
    if (this.#granted !== null && now < this.#granted + WINDOW_MS) {
      this.#window += Math.min(this.#window, Math.floor(spare / 2), STREAM_WINDOW_MAX - this.#window);
    }
    this.#granted = now;
    this.#limit = this.#taken + this.#window;
  }

  /**
   * What it has. Once that is sent, nothing of it need be said again.
   * @returns {import('./frames.js').StreamState}
   */
  say() {
    this.#takenDue = this.#doneDue = false;
    return {
      stream: this.#stream,
      received: this.#received,
      taken: this.#taken,
      limit: this.#limit,
      finished: this.#end !== 'open',
      done: this.isDone,
    };
  }

  /** A connection begins. */
  resume() {
    this.#stopDue = this.#stopped !== null && !this.isDone;
  }

  /** There is something to send. */
  get isDue() {
    return this.#stopDue || this.#takenDue || this.#doneDue;
  }

  /** Writes what there is to say. @param {import('./wire.js').Writer} out */
  put(out) {
    const stream = this.#stream;
    if (this.#stopDue && this.#stopped) put(out, { kind: 'stop', stream, ...this.#stopped });
    if (this.#doneDue) put(out, { kind: 'done', stream });
    else if (this.#takenDue) put(out, { kind: 'taken', stream, taken: this.#taken, limit: this.#limit });
    this.#stopDue = this.#takenDue = this.#doneDue = false;
  }
}
