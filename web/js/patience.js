/**
 * How long the server may take to answer for what was sent to it. A connection may lose packets of one direction only, and
 * TCP waits twice as long after each try: what comes meanwhile proves nothing. Each doubt doubles the wait, up to a bound,
 * so that a server that is only slow keeps its clients; an answer in time makes it short again. Without I/O.
 */
export const UNANSWERED_MS = 3_000;
export const UNANSWERED_LAST_MS = 60_000;

export class Patience {
  #wait = UNANSWERED_MS;
  /** Since when nothing more of what is under way was answered for. @type {number | null} */
  #since = null;

  /** When the connection is to be doubted. */
  get until() {
    return this.#since === null ? null : this.#since + this.#wait;
  }

  /** Something goes out. @param {number} now */
  sent(now) {
    this.#since ??= now;
  }

  /** Something that went out at `sentAt` was answered for, and more is under way or not. @param {number} now @param {number} sentAt @param {boolean} more */
  answered(now, sentAt, more) {
    if (now - sentAt <= UNANSWERED_MS) this.#wait = UNANSWERED_MS;
    this.#since = more ? now : null;
  }

  /** The connection is doubted: the next time it is later. @param {number} now */
  doubted(now) {
    this.#wait = Math.min(this.#wait * 2, UNANSWERED_LAST_MS);
    this.#since = now;
  }

  /** Nothing is under way any more. */
  beginAnew() {
    this.#since = null;
  }
}
