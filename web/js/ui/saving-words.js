/** What becomes of a change, in words: saving, waiting for the server, saved. Read out politely. */
import { say, sayPlain } from '../i18n.js';
import { h } from './dom.js';

/** So long "saved" stands there. */
const SAVED_MS = 4_000;

/** @typedef {import('../api_request.js').Progress | 'saved' | 'none'} State */

/** What its user may stop waiting for. @type {State[]} */
const WAITS = ['waiting', 'token'];

export class SavingWords extends HTMLElement {
  #words = h('span', { role: 'status', class: 'progress-words' });
  #stop = h('button', { type: 'button', class: 'link', t: 'progress.stop', hidden: true });
  /** @type {AbortController | null} */
  #asking = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  connectedCallback() {
    if (this.firstChild) return;
    this.#stop.addEventListener('click', () => this.#asking?.abort());
    this.append(this.#words, this.#stop);
  }

  /** Whether something is under way. */
  get busy() {
    return this.#asking !== null;
  }

  /** The user does not wait for it any more. */
  stop() {
    this.#asking?.abort();
  }

  /**
   * Shows how this change goes on, and lets its user stop waiting for it.
   * @template Result
   * @param {(patience: import('../api_request.js').Patience) => Promise<Result>} change
   * @param {boolean} [quiet] says nothing but that it waits
   * @returns {Promise<Result>}
   */
  async follow(change, quiet = false) {
    const asking = new AbortController();
    this.#asking = asking;
    try {
      const result = await change({
        signal: asking.signal,
        progress: (state) => this.#show(quiet && !WAITS.includes(state) ? 'none' : state),
      });
      this.#show(quiet ? 'none' : 'saved');
      return result;
    } catch (error) {
      this.#show('none');
      throw error;
    } finally {
      this.#asking = null;
    }
  }

  /** @param {State} state */
  #show(state) {
    clearTimeout(this.#timer);
    if (this.dataset.state === state) return;
    this.dataset.state = state;
    this.#stop.hidden = !WAITS.includes(state);
    if (state === 'none') sayPlain(this.#words, '');
    else say(this.#words, `progress.${state}`);
    if (state === 'saved') this.#timer = setTimeout(() => this.#show('none'), SAVED_MS);
  }
}

customElements.define('saving-words', SavingWords);
