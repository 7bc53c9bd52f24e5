/** Datagrams that wait: of many the oldest are lost. */
import { DATAGRAMS } from './limits.js';

/** @template T */
export class Datagrams {
  /** @type {T[]} */
  #waiting = [];

  /** @param {T} datagram */
  push(datagram) {
    if (this.#waiting.length === DATAGRAMS) this.#waiting.shift();
    this.#waiting.push(datagram);
  }

  take() {
    return this.#waiting.shift() ?? null;
  }

  clear() {
    this.#waiting = [];
  }
}
