/** Bytes in the order in which they came, to take from the front. */
import { PIECE_BYTES } from './limits.js';

const NONE = new Uint8Array(0);

export class Bytes {
  #data = NONE;
  #begin = 0;
  #end = 0;

  get length() {
    return this.#end - this.#begin;
  }

  /** @param {Uint8Array} bytes */
  push(bytes) {
    if (this.#end + bytes.length > this.#data.length) this.#makeRoom(this.length + bytes.length);
    this.#data.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Moves what is there to the front, where half of the room is free then, or to a greater room. @param {number} needed */
  #makeRoom(needed) {
    const held = this.#data.subarray(this.#begin, this.#end);
    if (needed * 2 > this.#data.length) this.#data = new Uint8Array(needed * 2);
    this.#data.set(held);
    [this.#begin, this.#end] = [0, held.length];
  }

  /** So many of them from this one on, as far as there are any. @param {number} begin @param {number} count */
  copy(begin, count) {
    const from = Math.min(this.#begin + begin, this.#end);
    return this.#data.slice(from, Math.min(from + count, this.#end));
  }

  /** Drops the first ones. What is empty keeps little memory. @param {number} count */
  skip(count) {
    this.#begin = Math.min(this.#begin + count, this.#end);
    if (this.length > 0) return;
    [this.#begin, this.#end] = [0, 0];
    if (this.#data.length > 2 * PIECE_BYTES) this.#data = NONE;
  }

  /** The first ones. @param {number} count */
  take(count) {
    const taken = this.copy(0, count);
    this.skip(count);
    return taken;
  }

  clear() {
    [this.#data, this.#begin, this.#end] = [NONE, 0, 0];
  }
}
