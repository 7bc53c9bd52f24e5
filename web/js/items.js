/** The HTTP client of the items API. */
import { ApiError } from './api_error.js';
import { Requests } from './api_request.js';

/**
 * @typedef {'active' | 'inactive' | 'pending'} ItemStatus
 * @typedef {{ id: number, title: string, description: string | null, status: ItemStatus, created_at: string,
 *   updated_at: string, version?: number }} Item
 * @typedef {{ title: string, description: string | null, status: ItemStatus }} ItemFields
 * @typedef {{ skip?: number, limit?: number, status?: ItemStatus | '', q?: string, sort?: 'id' | '-id' }} ItemQuery
 * @typedef {{ words: number, characters: number, sha256: string }} Digest
 * @typedef {{ path: string, text: string, key: string, at: number }} Attempt `at`: when it began, by the wall clock
 * @typedef {{ load: () => Attempt | null, save: (attempt: Attempt | null) => void }} Outbox outlives the page
 * @typedef {import('./api_request.js').Patience} Patience
 */

export { ApiError };

export const STATUSES = /** @type {const} */ (['active', 'inactive', 'pending']);

/** The longest texts of an item, in Unicode scalar values: the server's numbers, held to them by a test. */
export const TITLE_CHARS = 200;
export const DESCRIPTION_CHARS = 10_000;

/** The server knows a key for 24 hours. */
const KEY_MS = 23 * 60 * 60 * 1_000;

export class Items extends Requests {
  /** The last creation whose outcome is unknown: tried again by its user, it is the same one. @type {Attempt | null} */
  #unanswered = null;
  /** @type {Outbox} */
  #outbox;

  /**
   * @param {string} base where `api/items/` is
   * @param {typeof fetch} [fetcher]
   * @param {Partial<ConstructorParameters<typeof Requests>[0]> & { outbox?: Outbox }} [more]
   */
  constructor(base, fetcher = (...request) => fetch(...request), { outbox, ...more } = {}) {
    super({ base, fetcher, ...more });
    this.#outbox = outbox ?? { load: () => null, save: () => {} };
    const left = this.#outbox.load();
    if (left && Date.now() - left.at < KEY_MS) this.#unanswered = left;
  }

  /** What was being made when the page was loaded anew, and has no answer yet. @returns {ItemFields | ItemFields[] | null} */
  get unfinished() {
    return this.#unanswered && JSON.parse(this.#unanswered.text);
  }

  /** @param {ItemQuery} query @returns {Promise<{ items: Item[], total: number }>} */
  async list(query) {
    const wanted = Object.entries(query).filter(([, value]) => value);
    const search = new URLSearchParams(wanted.map(([name, value]) => [name, String(value)]));
    const path = `api/items/${wanted.length ? '?' : ''}${search}`;
    const { headers, body } = await this.ask({ method: 'GET', path });
    return { items: body, total: Number(headers.get('X-Total-Count') ?? body.length) };
  }

  /** @param {ItemFields} fields @param {Patience} [patience] @returns {Promise<Item>} */
  create(fields, patience) {
    return this.#createOnce('api/items/', fields, patience);
  }

  /** All or none. @param {ItemFields[]} fields @param {Patience} [patience] @returns {Promise<Item[]>} */
  createBulk(fields, patience) {
    return this.#createOnce('api/items/bulk', fields, patience);
  }

  /**
   * @param {number} id
   * @param {Partial<ItemFields>} fields
   * @param {number} [version] refuse with 412 if the item is not of this version any more
   * @param {Patience} [patience]
   * @returns {Promise<Item>}
   */
  async update(id, fields, version, patience) {
    const path = `api/items/${id}`;
    /** @type {Record<string, string>} */
    const headers = version === undefined ? {} : { 'If-Match': `"${version}"` };
    try {
      return (await this.askUntilAnswered({ method: 'PUT', path, content: fields, headers }, patience)).body;
    } catch (error) {
      // Sent again after an answer that got lost, by the page or by the browser, it finds the item changed by the first time.
      if (/** @type {ApiError} */ (error).status !== 412 || version === undefined) throw error;
      const { body: item } = await this.askUntilAnswered({ method: 'GET', path }, patience);
      const ours = Object.entries(fields).every(([name, value]) => item[name] === value);
      if (!ours || item.version !== version + 1) throw error;
      return item;
    }
  }

  /** @param {number} id @param {Patience & { keepalive?: boolean }} [options] `keepalive`: sent once, even while the page goes away */
  async delete(id, { keepalive = false, ...patience } = {}) {
    const request = { method: 'DELETE', path: `api/items/${id}`, keepalive };
    await (keepalive ? this.ask(request) : this.askUntilAnswered(request, patience));
  }

  /** @param {number[]} ids @param {ItemStatus} status @param {Patience} [patience] @returns {Promise<number>} how many have that status now */
  async setStatus(ids, status, patience) {
    const path = `api/items/bulk/status?new_status=${status}`;
    const { body } = await this.askUntilAnswered({ method: 'PATCH', path, content: ids }, patience);
    return body.updated_count;
  }

  /** Queues the item's digest, which an event tells. @param {number} id @param {Patience} [patience] */
  async process(id, patience) {
    const headers = { 'Idempotency-Key': randomKey() };
    await this.askUntilAnswered({ method: 'POST', path: `api/items/${id}/process`, headers }, patience);
  }

  /** @param {string} path @param {unknown} fields @param {Patience} [patience] */
  async #createOnce(path, fields, patience) {
    const text = JSON.stringify(fields);
    const again = this.#unanswered?.path === path && this.#unanswered.text === text;
    const attempt = (again && this.#unanswered) || { path, text, key: randomKey(), at: Date.now() };
    this.#unanswered = null;
    this.#outbox.save(attempt);
    const headers = { 'Idempotency-Key': attempt.key };
    try {
      return (await this.askUntilAnswered({ method: 'POST', path, content: fields, headers }, patience)).body;
    } catch (error) {
      const { status, isNoAnswer } = /** @type {ApiError} */ (error);
      if (isNoAnswer || status >= 500) this.#unanswered = attempt;
      throw error;
    } finally {
      this.#outbox.save(null);
    }
  }
}

/** Not `randomUUID`, which there is in secure contexts alone. */
function randomKey() {
  return [...crypto.getRandomValues(new Uint32Array(4))].map((word) => word.toString(36)).join('-');
}
