/** The HTTP client of the items API. */

/**
 * @typedef {'active' | 'inactive' | 'pending'} ItemStatus
 * @typedef {{ id: number, title: string, description: string | null, status: ItemStatus, created_at: string,
 *   updated_at: string, version?: number }} Item
 * @typedef {{ title: string, description: string | null, status: ItemStatus }} ItemFields
 * @typedef {{ skip?: number, limit?: number, status?: ItemStatus | '', q?: string, sort?: 'id' | '-id' }} ItemQuery
 * @typedef {{ words: number, characters: number, sha256: string }} Digest
 */

export const STATUSES = /** @type {const} */ (['active', 'inactive', 'pending']);

/** An answer that is not the wanted one. `code` is a stable word; `network` when there was no answer. */
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

export class Items {
  #base;
  #fetch;

  /**
   * @param {string} base where `/api/items/` is
   * @param {typeof fetch} [fetcher]
   */
  constructor(base, fetcher = (...request) => fetch(...request)) {
    this.#base = base;
    this.#fetch = fetcher;
  }

  /** @param {ItemQuery} query @returns {Promise<{ items: Item[], total: number }>} */
  async list(query) {
    const url = new URL('api/items/', this.#base);
    for (const [name, value] of Object.entries(query)) if (value) url.searchParams.set(name, String(value));
    const response = await this.#request('GET', url);
    const items = await response.json();
    return { items, total: Number(response.headers.get('X-Total-Count') ?? items.length) };
  }

  /** @param {ItemFields} fields @returns {Promise<Item>} */
  async create(fields) {
    return (await this.#request('POST', 'api/items/', fields)).json();
  }

  /** All or none. @param {ItemFields[]} fields @returns {Promise<Item[]>} */
  async createBulk(fields) {
    return (await this.#request('POST', 'api/items/bulk', fields)).json();
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
    return (await this.#request('PUT', `api/items/${id}`, fields, { headers })).json();
  }

  /** @param {number} id @param {{ keepalive?: boolean }} [options] to be sent even while the page goes away */
  async delete(id, options = {}) {
    await this.#request('DELETE', `api/items/${id}`, undefined, options);
  }

  /** @param {number[]} ids @param {ItemStatus} status @returns {Promise<number>} how many have that status now */
  async setStatus(ids, status) {
    const response = await this.#request('PATCH', `api/items/bulk/status?new_status=${status}`, ids);
    return (await response.json()).updated_count;
  }

  /** Queues the item's digest, which an event tells. @param {number} id */
  async process(id) {
    await this.#request('POST', `api/items/${id}/process`);
  }

  /** The changes of anybody as they happen. */
  events() {
    return new EventSource(new URL('api/items/events', this.#base));
  }

  /**
   * @param {string} method
   * @param {string | URL} path
   * @param {unknown} [body]
   * @param {{ headers?: Record<string, string>, keepalive?: boolean }} [options]
   */
  async #request(method, path, body, { headers = {}, keepalive = false } = {}) {
    const json = body === undefined ? {} : { body: JSON.stringify(body) };
    /** @type {Record<string, string>} */
    const type = body === undefined ? {} : { 'Content-Type': 'application/json' };
    /** @type {Response} */
    let response;
    try {
      const url = new URL(path, this.#base);
      response = await this.#fetch(url, { method, ...json, headers: { ...type, ...headers }, keepalive });
    } catch {
      throw new ApiError(0, { detail: 'the server can not be reached' });
    }
    if (!response.ok) throw new ApiError(response.status, await response.json().catch(() => ({})));
    return response;
  }
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
