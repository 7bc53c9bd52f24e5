/**
 * The page's token: kept for this tab, sent along with what the page asks for, and wanted anew where the server says so. On a
 * server that asks for none there is none, and nothing of this is seen.
 */
import { ApiError, retryAfter } from './api_error.js';
import { Emitter } from './emitter.js';
import { REFUSALS, allowsRoom, isToken, readToken } from './token.js';

/** So long before its end a token is said to end soon; of a short one a fifth of its life. */
export const SOON_MS = 5 * 60_000;
/** So long the server may take to say whether a token is good. */
const CHECK_MS = 10_000;
/** The longest wait of a browser's timer. */
const TIMER_MS = 2_147_483_647;

/**
 * @typedef {'items' | 'room' | 'admin'} Purpose
 * @typedef {object} Need why a token is wanted
 * @property {string} code what the server said, or `asked` when the user wants another one
 * @property {Purpose} [purpose] what for
 * @property {string} [room]
 * @property {boolean} [own] the user is waiting for it; else it is wanted once, and not again after a "not now"
 *
 * @typedef {{ load: () => string | null, save: (token: string | null) => void }} Store
 * @typedef {{ change: null, need: Need, soon: null }} PageTokenEvents `change`: it is another one, or none
 */

/** @extends {Emitter<PageTokenEvents>} */
export class PageToken extends Emitter {
  #base;
  #store;
  #fetch;
  #clock;
  /** @type {string | null} */
  #token = null;
  /** The user does not want to give one now. */
  #declined = false;
  /** Who waits for a token. @type {Set<(given: boolean) => void>} */
  #waiting = new Set();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {object} options
   * @param {string} options.base where the server is
   * @param {Store} options.store
   * @param {typeof fetch} [options.fetcher]
   * @param {() => number} [options.clock] of the wall
   */
  constructor({ base, store, fetcher = (...request) => fetch(...request), clock = Date.now }) {
    super();
    this.#base = base;
    this.#store = store;
    this.#fetch = fetcher;
    this.#clock = clock;
    this.reload();
  }

  get value() {
    return this.#token;
  }

  /** What it says; null when there is none. */
  get claims() {
    return this.#token === null ? null : readToken(this.#token);
  }

  /** How near its end is: `none` when it has no end, or there is no token. @returns {'none' | 'far' | 'soon' | 'over'} */
  get end() {
    const { until = null, from } = this.claims ?? {};
    if (until === null) return 'none';
    const left = until - this.#clock();
    return left <= 0 ? 'over' : left <= warning(from ?? null, until) ? 'soon' : 'far';
  }

  /** What may be done with items, as far as the page knows. Without a token the server says it. @returns {'write' | 'read' | 'none'} */
  get items() {
    const { claims } = this;
    return claims ? (claims.grants.items ?? 'none') : 'write';
  }

  /** @param {string} room */
  allowsRoom(room) {
    const { claims } = this;
    return !claims || allowsRoom(claims.grants, room);
  }

  /**
   * The same request with the token. What is refused to one that is another by now is asked for with that: the refusal says
   * nothing of it, and nothing was done.
   * @type {typeof fetch}
   */
  fetch = async (input, init = {}) => {
    for (;;) {
      const token = this.#token;
      const response = await this.#fetchWith(token, input, init);
      if (token === this.#token || ![401, 403].includes(response.status)) return response;
    }
  };

  /** What the tab keeps is another one now, perhaps. */
  reload() {
    const kept = this.#store.load();
    if (kept !== this.#token || kept === null) this.#set(isToken(kept) ? kept : null);
  }

  /** From now on it is this one. @param {string} token */
  use(token) {
    this.#store.save(token);
    this.#set(token);
  }

  /** Who wants none is not asked for one at once. */
  forget() {
    this.#store.save(null);
    this.#set(null);
    this.#declined = true;
  }

  /** The server did not take what it got, or got nothing. @param {Need} need */
  want(need) {
    if (!REFUSALS.includes(need.code) && need.code !== 'asked') return;
    // A token without a right to items is as good as any: the list says what it lacks.
    if (!need.own && need.purpose === 'items' && this.items === 'none') return;
    if (need.own || !this.#declined) this.emit('need', need);
  }

  /** The user gives none now. */
  decline() {
    this.#declined = true;
    this.#tell(false);
  }

  /** Whether there is another token, as soon as that is known. @param {AbortSignal} [signal] ends the waiting @returns {Promise<boolean>} */
  given = (signal) =>
    new Promise((resolve) => {
      const told = (/** @type {boolean} */ given) => {
        this.#waiting.delete(told);
        signal?.removeEventListener('abort', stop);
        resolve(given);
      };
      const stop = () => told(false);
      this.#waiting.add(told);
      signal?.addEventListener('abort', stop);
    });

  /** Asks the server whether this token is any good. @param {string} token @throws {ApiError} why it is not */
  async check(token) {
    const signal = AbortSignal.timeout(CHECK_MS);
    const response = await this.#fetchWith(token, new URL('api/ice-servers', this.#base), { signal }).catch(() => null);
    if (!response) throw new ApiError(0, { code: 'network' });
    // A server that asks for none takes any.
    if (response.ok) return;
    throw new ApiError(response.status, await response.json().catch(() => ({})), retryAfter(response.headers));
  }

  /** @param {string | null} token @param {Parameters<typeof fetch>[0]} input @param {RequestInit} init */
  #fetchWith(token, input, init) {
    const headers = new Headers(init.headers);
    if (token !== null) headers.set('Authorization', `Bearer ${token}`);
    return this.#fetch(input, { ...init, headers });
  }

  /** @param {string | null} token */
  #set(token) {
    this.#token = token;
    this.#declined = false;
    this.#watch();
    this.emit('change', null);
    if (token !== null) this.#tell(true);
  }

  /** @param {boolean} given */
  #tell(given) {
    for (const told of [...this.#waiting]) told(given);
  }

  /** Says when it ends soon, and when it has ended. */
  #watch() {
    clearTimeout(this.#timer);
    const { until = null, from } = this.claims ?? {};
    if (until === null || this.end === 'over') return;
    const due = this.end === 'far' ? until - warning(from ?? null, until) : until;
    const wait = Math.min(Math.max(0, due - this.#clock()), TIMER_MS);
    this.#timer = setTimeout(() => {
      if (this.end !== 'far') this.emit('soon', null);
      this.#watch();
    }, wait);
  }
}

/** @param {number | null} from @param {number} until */
function warning(from, until) {
  return from === null ? SOON_MS : Math.min(SOON_MS, (until - from) / 5);
}
