/**
 * What a session remembers, so that nothing is lost or comes twice when its connection is replaced (`docs/PROTOCOL.md`,
 * section 2): the server's token, how many frames came, and what was sent and is not acknowledged. Without I/O.
 */
import { encode } from './protocol.js';

/** The server knows the last 300 messages of a session. So many may be under way, and the others wait here. */
export const UNDER_WAY = 256;
/** What is kept in all; beyond it nothing more is taken. */
export const KEPT_MESSAGES = 1_000;
export const KEPT_CHARS = 1_048_576;
/** So much longer a message gets by its `id`. */
export const ID_BYTES = 32;

/**
 * @typedef {import('./protocol.js').ClientMessage} ClientMessage
 * @typedef {{ ref: string, text: string, message: ClientMessage, sentAt: number }} Kept `sentAt`: when it was sent last
 * @typedef {{ recovered: boolean, dropped: ClientMessage[] }} Arrival `dropped`: what the server may never have got
 */

export class Resume {
  /** @type {string | null} */
  #token = null;
  #received = 0;
  /** Not acknowledged, in the order in which it was handed over. @type {Kept[]} */
  #kept = [];
  /** How many of those were sent over the connection that there is now. */
  #underWay = 0;
  #chars = 0;
  #count = 0;

  /** Whether what is handed over is kept until the server has it. */
  get keeps() {
    return this.#token !== null;
  }

  /** Whether something was sent over the connection that there is now, and not answered for. */
  get waits() {
    return this.#underWay > 0;
  }

  /** What the address of the next connection says. @returns {Record<string, string>} */
  get query() {
    return this.#token === null ? { resume: '' } : { resume: this.#token, received: String(this.#received) };
  }

  /** A text frame came after the `room_state`. */
  frame() {
    this.#received += 1;
  }

  /** The server let this peer in. @param {{ resume_token?: string, recovered?: boolean }} state @returns {Arrival} */
  joined({ resume_token: token, recovered = false }) {
    const dropped = recovered ? [] : this.#kept.map(({ message }) => message);
    if (!recovered) this.forget();
    this.#token = token ?? null;
    this.#received = 0;
    this.#underWay = 0;
    return { recovered, dropped };
  }

  /** The session is over. */
  forget() {
    this.#token = null;
    this.#kept = [];
    this.#underWay = this.#chars = 0;
  }

  /** Takes a message, to be sent when it is `due`. @param {ClientMessage} message @returns {boolean} false: too much waits */
  take(message) {
    this.#count += 1;
    const ref = `m${this.#count}`;
    const text = encode(/** @type {ClientMessage} */ ({ ...message, id: ref }));
    if (this.#kept.length >= KEPT_MESSAGES || this.#chars + text.length > KEPT_CHARS) return false;
    this.#kept.push({ ref, text, message, sentAt: 0 });
    this.#chars += text.length;
    return true;
  }

  /** What is to be sent now, in order. @param {number} now @returns {string[]} */
  due(now) {
    const from = this.#underWay;
    this.#underWay = Math.min(this.#kept.length, UNDER_WAY);
    return this.#kept.slice(from, this.#underWay).map((kept) => {
      kept.sentAt = now;
      return kept.text;
    });
  }

  /** The server took or refused the message with this id. @param {string} ref @returns {number | null} when that was sent, if it was under way */
  answered(ref) {
    const at = this.#kept.findIndex((kept) => kept.ref === ref);
    const [kept] = at < 0 ? [] : this.#kept.splice(at, 1);
    if (!kept) return null;
    this.#chars -= kept.text.length;
    if (at >= this.#underWay) return null;
    this.#underWay -= 1;
    return kept.sentAt;
  }
}
