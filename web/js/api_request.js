/**
 * Requests to the items API. One that changes something is asked again until there is an answer: that is what its
 * `Idempotency-Key` is for, or it is one that may be done twice.
 */
import { ApiError, retryAfter } from './api_error.js';
import { backoff } from './backoff.js';
import { Emitter } from './emitter.js';
import { onWaking } from './waking.js';

/** A request that waits for longer than this is said to wait. */
export const QUIET_MS = 2_000;
/** A request without an answer after this is given up. The server itself answers 503 within 5 s when it can't go on. */
export const ANSWER_MS = 15_000;

/**
 * @typedef {{ headers: Headers, body: any }} Answer
 * @typedef {'saving' | 'waiting' | 'token'} Progress how far a change is: under way, held up, or in want of a token
 *
 * @typedef {object} Patience
 * @property {(progress: Progress) => void} [progress]
 * @property {AbortSignal} [signal] ends the asking; the change may be made all the same
 *
 * @typedef {object} Request
 * @property {string} method
 * @property {string} path
 * @property {unknown} [content]
 * @property {Record<string, string>} [headers]
 * @property {boolean} [keepalive] to be sent even while the page goes away
 */

/**
 * `waiting`: how many requests have waited for long. `refused`: this may not be done, or not without another token; `own`
 * when somebody waits for it.
 * @extends {Emitter<{ waiting: number, refused: { error: ApiError, own: boolean } }>}
 */
export class Requests extends Emitter {
  #options;
  #waiting = 0;

  /**
   * @param {object} options
   * @param {string} options.base
   * @param {typeof fetch} options.fetcher
   * @param {() => number} [options.random]
   * @param {import('./waking.js').Waking} [options.waking]
   * @param {(signal?: AbortSignal) => Promise<boolean>} [options.given] whether there is another token, as soon as that is known
   */
  constructor({ base, fetcher, random = Math.random, waking = onWaking, given = async () => false }) {
    super();
    this.#options = { base, fetcher, random, waking, given };
  }

  /** Asks once. @param {Request} request @returns {Promise<Answer>} @throws {ApiError} */
  async ask(request) {
    const answered = this.#sayWhenItWaits(() => {});
    try {
      return await this.#once(request);
    } catch (error) {
      this.#refused(/** @type {ApiError} */ (error), false);
      throw error;
    } finally {
      answered();
    }
  }

  /** Asks until there is an answer. @param {Request} request @param {Patience} [patience] @returns {Promise<Answer>} @throws {ApiError} */
  async askUntilAnswered(request, { progress = () => {}, signal } = {}) {
    progress('saving');
    const answered = this.#sayWhenItWaits(() => progress('waiting'));
    try {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await this.#once(request, signal);
        } catch (caught) {
          const error = /** @type {ApiError} */ (caught);
          if (error.isRefusal && (await this.#hasAnotherToken(error, progress, signal))) continue;
          if (!error.isNoAnswer || signal?.aborted) throw error;
          progress('waiting');
          // What is refused for a while is asked for after it, and not by all at the same moment.
          const wait = backoff(error.retryMs === null ? attempt : 1, this.#options.random);
          await this.#pause((error.retryMs ?? 0) + wait, error.retryMs === null, signal);
          if (signal?.aborted) throw error;
        }
      }
    } finally {
      answered();
    }
  }

  /** @param {ApiError} error @param {boolean} own */
  #refused(error, own) {
    if (error.isRefusal) this.emit('refused', { error, own });
  }

  /**
   * Nothing was done yet. It will be, once its user has a token for it.
   * @param {ApiError} error @param {(progress: Progress) => void} progress @param {AbortSignal} [signal]
   */
  async #hasAnotherToken(error, progress, signal) {
    const given = this.#options.given(signal);
    progress('token');
    this.#refused(error, true);
    const another = await given;
    if (another) progress('saving');
    return another;
  }

  /** @param {Request} request @param {AbortSignal} [stop] @returns {Promise<Answer>} */
  async #once({ method, path, content, headers = {}, keepalive = false }, stop) {
    const json = content === undefined ? {} : { body: JSON.stringify(content) };
    /** @type {Record<string, string>} */
    const type = content === undefined ? {} : { 'Content-Type': 'application/json' };
    const late = AbortSignal.timeout(ANSWER_MS);
    const signal = stop ? AbortSignal.any([late, stop]) : late;
    const init = { method, ...json, headers: { ...type, ...headers }, keepalive, signal };
    try {
      return await read(await this.#options.fetcher(new URL(path, this.#options.base), init));
    } catch (error) {
      throw error instanceof ApiError ? error : unanswered(method, late.aborted);
    }
  }

  /**
   * Waits; not longer than until the network is there again, unless the server has named the time.
   * @param {number} ms @param {boolean} wakes @param {AbortSignal} [signal] @returns {Promise<void>}
   */
  #pause(ms, wakes, signal) {
    return new Promise((resolve) => {
      const go = () => {
        clearTimeout(timer);
        unwatch();
        signal?.removeEventListener('abort', go);
        resolve();
      };
      const timer = setTimeout(go, ms);
      const unwatch = wakes ? this.#options.waking(go) : () => {};
      signal?.addEventListener('abort', go);
    });
  }

  /** @param {() => void} told */
  #sayWhenItWaits(told) {
    let waits = 0;
    const count = (/** @type {number} */ by) => this.emit('waiting', (this.#waiting += by));
    const timer = setTimeout(() => {
      count((waits = 1));
      told();
    }, QUIET_MS);
    return () => {
      clearTimeout(timer);
      if (waits) count(-waits);
    };
  }
}

/** @param {Response} response @returns {Promise<Answer>} */
async function read(response) {
  const text = await response.text();
  const body = parsed(text);
  if (!response.ok) throw new ApiError(response.status, body ?? {}, retryAfter(response.headers));
  if (text && body === null) throw new ApiError(response.status, { detail: 'the answer is not JSON' });
  return { headers: response.headers, body };
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** @param {string} method @param {boolean} late */
function unanswered(method, late) {
  const detail = late ? `no answer within ${ANSWER_MS / 1000} s` : 'the server can not be reached';
  if (method !== 'GET') return new ApiError(0, { code: 'unknown_outcome', detail });
  return new ApiError(0, { code: late ? 'no_answer' : 'network', detail });
}
