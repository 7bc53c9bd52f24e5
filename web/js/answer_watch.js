/** The clock for what was sent to the server and is not answered for (`patience`). */
import { Patience } from './patience.js';

export class AnswerWatch {
  #patience = new Patience();
  #options;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {{ now: () => number, waits: () => boolean, overdue: () => void }} options `waits`: whether something has no answer; `overdue`: it takes too long */
  constructor(options) {
    this.#options = options;
  }

  /** The server is another one, or there is another way to it. */
  beginAnew() {
    this.#patience.beginAnew();
  }

  /** What was sent then was answered now. @param {number} sentAt */
  answered(sentAt) {
    const { now, waits } = this.#options;
    this.#patience.answered(now(), sentAt, waits());
  }

  /** Sets the clock by what waits now. */
  watch() {
    const { now: clock, waits, overdue } = this.#options;
    const now = clock();
    if (waits()) this.#patience.sent(now);
    clearTimeout(this.#timer);
    const { until } = this.#patience;
    if (until === null) return;
    this.#timer = setTimeout(() => {
      this.#patience.doubted(clock());
      overdue();
      this.watch();
    }, until - now);
  }

  /** The connection is gone. */
  end() {
    clearTimeout(this.#timer);
  }
}
