/** The page of items that is shown: loaded with a filter, kept as it is on the server. */
import { Emitter } from './emitter.js';
import { ApiError } from './items.js';

/**
 * @typedef {import('./items.js').Item} Item
 * @typedef {import('./items.js').ItemFields} ItemFields
 * @typedef {import('./items.js').ItemStatus} ItemStatus
 * @typedef {import('./items.js').Patience} Patience
 * @typedef {{ status: ItemStatus | '', q: string }} Filter
 * @typedef {'write' | 'read' | 'none'} Access what the user's token allows
 * @typedef {'created' | 'updated' | 'processed'} Change
 * @typedef {{ change: null, touched: { id: number, change: Change, digest: import('./items.js').Digest | null } }} StoreEvents
 */

export const PAGE_SIZE = 10;
const CHANGES = ['created', 'updated', 'deleted', 'processed'];
/** Changes that come within this time are loaded together. */
const GATHER_MS = 150;

/** @extends {Emitter<StoreEvents>} */
export class ItemStore extends Emitter {
  /** @type {Item[]} */
  items = [];
  /** How many items match the filter. */
  total = 0;
  /** The page that is wanted, from 0. */
  page = 0;
  /** How many items stand before those that are loaded. */
  skipped = 0;
  /** @type {Filter} */
  filter = { status: '', q: '' };
  loaded = false;
  loading = false;
  /** @type {Access} */
  access = 'write';
  /** @type {ApiError | null} */
  error = null;
  /** Deleted here, and not yet on the server: the user may think again. @type {Set<number>} */
  #hidden = new Set();
  #api;
  #loads = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {import('./items.js').Items} api */
  constructor(api) {
    super();
    this.#api = api;
  }

  /** What was being made when the page was loaded anew. */
  get unfinished() {
    return this.#api.unfinished;
  }

  get visible() {
    return this.items.filter(({ id }) => !this.#hidden.has(id));
  }

  /** How many match the filter, without those that are out of sight. */
  get visibleTotal() {
    return this.total - (this.items.length - this.visible.length);
  }

  get pages() {
    return Math.max(1, Math.ceil(this.total / PAGE_SIZE));
  }

  /** What may be done from now on; what was seen before is not shown any more if it may not be. @param {Access} access */
  allow(access) {
    this.access = access;
    this.error = null;
    if (access === 'none') Object.assign(this, { items: [], total: 0, page: 0, loaded: false });
    void this.load();
  }

  /** Loads the page that is wanted. The newest of several loads counts. */
  async load() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#loads += 1;
    const load = this.#loads;
    this.loading = this.access !== 'none';
    if (!this.loading) return this.emit('change', null);
    this.emit('change', null);
    try {
      const skipped = this.page * PAGE_SIZE;
      const sort = /** @type {const} */ ('-id');
      const { items, total } = await this.#api.list({ ...this.filter, sort, skip: skipped, limit: PAGE_SIZE });
      if (load !== this.#loads) return;
      Object.assign(this, { items, total, skipped, loaded: true, error: null });
    } catch (error) {
      if (load !== this.#loads) return;
      this.error = asApiError(error);
    }
    this.loading = false;
    if (!this.error && this.page >= this.pages) return this.goTo(this.pages - 1);
    this.emit('change', null);
  }

  /** @param {number} page from 0 */
  async goTo(page) {
    this.page = Math.max(0, page);
    await this.load();
  }

  /** @param {Partial<Filter>} filter */
  async setFilter(filter) {
    Object.assign(this.filter, filter);
    await this.goTo(0);
  }

  /** @param {ItemFields} fields @param {Patience} [patience] */
  async create(fields, patience) {
    const item = await this.#api.create(fields, patience);
    this.#reload(0);
    return item;
  }

  /** @param {ItemFields[]} fields @param {Patience} [patience] */
  async createBulk(fields, patience) {
    const items = await this.#api.createBulk(fields, patience);
    this.#reload(0);
    return items;
  }

  /**
   * @param {Item} item
   * @param {Partial<ItemFields>} fields
   * @param {boolean} overwrite whatever others did meanwhile
   * @param {Patience} [patience]
   */
  async update(item, fields, overwrite, patience) {
    this.#replace(await this.#api.update(item.id, fields, overwrite ? undefined : item.version, patience));
  }

  /** Sets the status of every item that is shown. @param {ItemStatus} status */
  async setStatus(status) {
    const ids = this.visible.map(({ id }) => id);
    const count = ids.length ? await this.#api.setStatus(ids, status) : 0;
    this.#reload(0);
    return count;
  }

  /** @param {number} id @param {Patience} [patience] */
  async process(id, patience) {
    await this.#api.process(id, patience);
  }

  /** Takes an item out of sight. `delete` or `restore` has to follow. @param {number} id */
  hide(id) {
    this.#hidden.add(id);
    this.emit('change', null);
  }

  /** @param {number} id */
  restore(id) {
    this.#hidden.delete(id);
    this.emit('change', null);
  }

  /** @param {number} id */
  async delete(id) {
    if (!this.#hidden.has(id)) return;
    try {
      await this.#api.delete(id);
      this.items = this.items.filter((item) => item.id !== id);
    } catch (error) {
      // Somebody else was first: it is gone, which is what was wanted.
      if (asApiError(error).status !== 404) throw error;
    } finally {
      this.restore(id);
      this.#reload(0);
    }
  }

  /** The page goes away: what is out of sight is deleted now. */
  flush() {
    for (const id of this.#hidden) this.#api.delete(id, { keepalive: true }).catch(() => {});
    this.#hidden.clear();
  }

  /** Follows the changes of anybody. @param {import('./item_feed.js').ItemFeed} feed */
  follow(feed) {
    // What changed while nothing was heard is loaded; so is what changed between the first load and the first word.
    feed.on('live', (live) => live && this.#reload(GATHER_MS));
    feed.on('missed', () => this.#reload(GATHER_MS));
    feed.on('event', ({ name, data }) => {
      if (name === 'reset') this.#reload(GATHER_MS);
      else if (CHANGES.includes(name)) this.#changed(name, data);
    });
  }

  /** @param {string} name @param {string} data */
  #changed(name, data) {
    const value = parse(data);
    const item = value?.item ?? value;
    if (typeof item?.id !== 'number') return;
    if (name === 'deleted') this.items = this.items.filter(({ id }) => id !== item.id);
    else if (typeof item.title === 'string') this.#replace(item);
    if (name === 'deleted') this.emit('change', null);
    else this.emit('touched', { id: item.id, change: /** @type {Change} */ (name), digest: digestIn(value) });
    if (name !== 'processed') this.#reload(GATHER_MS);
  }

  /** @param {Item} item */
  #replace(item) {
    const at = this.items.findIndex(({ id }) => id === item.id);
    const known = this.items[at];
    if (!known || (known.version ?? 0) > (item.version ?? 0)) return;
    this.items[at] = item;
    this.emit('change', null);
  }

  /** @param {number} delayMs */
  #reload(delayMs) {
    if (delayMs && this.#timer !== undefined) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.load(), delayMs);
  }
}

/** @param {unknown} error */
export function asApiError(error) {
  return error instanceof ApiError ? error : new ApiError(0, { code: 'unexpected', detail: String(error) });
}

/** @param {string} data */
function parse(data) {
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
}

/** @param {any} value @returns {import('./items.js').Digest | null} */
function digestIn(value) {
  const result = value?.job?.result ?? value?.result;
  return typeof result?.words === 'number' && typeof result?.characters === 'number' ? result : null;
}
