/** What a pair has to do next, in order, and how far it is. */

/**
 * @typedef {import('./io.js').Action} Action
 * @typedef {import('./io.js').State} State
 */

export class Actions {
  /** @type {Action[]} */
  #waiting = [];
  /** How far the pair is; null before it began. @type {State | null} */
  state = null;

  /** @param {Action} action */
  push(action) {
    this.#waiting.push(action);
  }

  take() {
    return this.#waiting.shift() ?? null;
  }

  /** @param {State} state */
  enter(state) {
    if (this.state === state) return;
    this.state = state;
    this.push({ state });
  }
}
