/** The HTTP client of the items API. */
import { Emitter } from './emitter.js';

/**
 * @typedef {'active' | 'inactive' | 'pending'} ItemStatus
 * @typedef {{ id: number, title: string, description: string | null, status: ItemStatus, created_at: string,
 *   updated_at: string, version?: number }} Item
 * @typedef {{ title: string, description: string | null, status: ItemStatus }} ItemFields
 * @typedef {{ skip?: number, limit?: number, status?: ItemStatus | '', q?: string, sort?: 'id' | '-id' }} ItemQuery
 * @typedef {{ words: number, characters: number, sha256: string }} Digest
 * @typedef {{ path: string, text: string, key: string }} Attempt
 */

export const STATUSES = /** @type {const} */ (['active', 'inactive', 'pending']);

/** The longest texts of an item, in Unicode scalar values: the server's numbers, held to them by a test. */
export const TITLE_CHARS = 200;
export const DESCRIPTION_CHARS = 10_000;
/** A request that waits for longer than this is said to wait. */
export const QUIET_MS = 2_000;
/** A request without an answer after this is given up. The server itself answers 503 within 5 s when it can't go on. */
export const ANSWER_MS = 15_000;

/**
 * An answer that is not the wanted one, or none. `code` is a stable word: the server's; `network` or `no_answer`; or
 * `unknown_outcome` for a change that may have been made all the same.
 */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {{ code?: string, detail?: unknown, errors?: unknown }} problem
   */
  constructor(status, problem) {
    super(typeof problem.detail === 'string' ? problem.detail : `HTTP ${status}`);
    this.name = 'ApiError';
    this.status = status;
    this.code = problem.code ?? (status ? 'http' : 'network');
    /** What is wrong with each field. @type {Map<string, string>} */
    this.fields = fieldErrors(problem.errors);
  }
}

/** `waiting`: how many requests have waited for long. @extends {Emitter<{ waiting: number }>} */
export class Items extends Emitter {
  #base;
  #fetch;
  #waiting = 0;
  /** The last creation whose outcome is unknown: tried again by its user, it is the same one. @type {Attempt | null} */
  #unanswered = null;

  /**
   * @param {string} base where `api/items/` is
   * @param {typeof fetch} [fetcher]
   */
  constructor(base, fetcher = (...request) => fetch(...request)) {
    super();
    this.#base = base;
    this.#fetch = fetcher;
  }

  /** @param {ItemQuery} query @returns {Promise<{ items: Item[], total: number }>} */
  async list(query) {
    const url = new URL('api/items/', this.#base);
    for (const [name, value] of Object.entries(query)) if (value) url.searchParams.set(name, String(value));
    const { headers, body } = await this.#request('GET', url.href);
    return { items: body, total: Number(headers.get('X-Total-Count') ?? body.length) };
  }

  /** @param {ItemFields} fields @returns {Promise<Item>} */
  create(fields) {
    return this.#createOnce('api/items/', fields);
  }

  /** All or none. @param {ItemFields[]} fields @returns {Promise<Item[]>} */
  createBulk(fields) {
    return this.#createOnce('api/items/bulk', fields);
  }

  /**
   * @param {number} id
   * @param {Partial<ItemFields>} fields
   * @param {number} [version] refuse with 412 if the item is not of this version any more
   * @returns {Promise<Item>}
   */
  async update(id, fields, version) {
    /** @type {Record<string, string>} */
    const headers = version === undefined ? {} : { 'If-Match': `"${version}"` };
    return (await this.#request('PUT', `api/items/${id}`, fields, { headers })).body;
  }

  /** @param {number} id @param {{ keepalive?: boolean }} [options] to be sent even while the page goes away */
  async delete(id, options = {}) {
    await this.#request('DELETE', `api/items/${id}`, undefined, options);
  }

  /** @param {number[]} ids @param {ItemStatus} status @returns {Promise<number>} how many have that status now */
  async setStatus(ids, status) {
    const { body } = await this.#request('PATCH', `api/items/bulk/status?new_status=${status}`, ids);
    return body.updated_count;
  }

  /** Queues the item's digest, which an event tells. @param {number} id */
  async process(id) {
    await this.#request('POST', `api/items/${id}/process`);
  }

  /** @param {string} path @param {unknown} fields */
  async #createOnce(path, fields) {
    const text = JSON.stringify(fields);
    const again = this.#unanswered?.path === path && this.#unanswered.text === text;
    const attempt = (again && this.#unanswered) || { path, text, key: randomKey() };
    this.#unanswered = null;
    try {
      return (await this.#request('POST', path, fields, { headers: { 'Idempotency-Key': attempt.key } })).body;
    } catch (error) {
      const { status, code } = /** @type {ApiError} */ (error);
      if (status === 0 || status >= 500 || code === 'idempotency_key_in_use') this.#unanswered = attempt;
      throw error;
    }
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} [content]
   * @param {{ headers?: Record<string, string>, keepalive?: boolean }} [options]
   */
  async #request(method, path, content, { headers = {}, keepalive = false } = {}) {
    const json = content === undefined ? {} : { body: JSON.stringify(content) };
    /** @type {Record<string, string>} */
    const type = content === undefined ? {} : { 'Content-Type': 'application/json' };
    const signal = AbortSignal.timeout(ANSWER_MS);
    const init = { method, ...json, headers: { ...type, ...headers }, keepalive, signal };
    const answered = this.#sayWhenItWaits();
    try {
      const response = await this.#fetch(new URL(path, this.#base), init);
      return await read(response);
    } catch (error) {
      throw error instanceof ApiError ? error : unanswered(method, signal.aborted);
    } finally {
      answered();
    }
  }

  #sayWhenItWaits() {
    let waits = 0;
    const count = (/** @type {number} */ by) => this.emit('waiting', (this.#waiting += by));
    const timer = setTimeout(() => count((waits = 1)), QUIET_MS);
    return () => {
      clearTimeout(timer);
      if (waits) count(-waits);
    };
  }
}

/** @param {Response} response @returns {Promise<{ headers: Headers, body: any }>} */
async function read(response) {
  const text = await response.text();
  const body = parsed(text);
  if (!response.ok) throw new ApiError(response.status, body ?? {});
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

/** Not `randomUUID`, which there is in secure contexts alone. */
function randomKey() {
  return [...crypto.getRandomValues(new Uint32Array(4))].map((word) => word.toString(36)).join('-');
}

/** @param {unknown} errors @returns {Map<string, string>} */
function fieldErrors(errors) {
  const fields = new Map();
  for (const error of Array.isArray(errors) ? errors : []) {
    const field = Array.isArray(error?.loc) ? error.loc.at(-1) : undefined;
    if (typeof field === 'string' && typeof error.msg === 'string' && !fields.has(field)) fields.set(field, error.msg);
  }
  return fields;
}
