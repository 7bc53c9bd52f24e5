/** What a pair has to do next, in order, and how far it is. */

/**
 * @typedef {import('./io.js').Action} Action
 * @typedef {import('./io.js').PairState} PairState
 */

export class Actions {
  /** @type {Action[]} */
  #waiting = [];
  /** How far the pair is; null before it began. @type {PairState | null} */
  state = null;

  /** @param {Action} action */
  push(action) {
    this.#waiting.push(action);
  }

  take() {
    return this.#waiting.shift() ?? null;
  }

  /** @param {PairState} state */
  enter(state) {
    if (this.state === state) return;
    this.state = state;
    this.push({ state });
  }
}
