/** What goes on at the server, asked for again and again while somebody looks. */
import { ApiError } from '../api_error.js';
import { Emitter } from '../emitter.js';

/** How often; what was just done here is looked at once. */
export const POLL_MS = 2_000;
/** How often when the server does not answer. */
export const DOWN_MS = 5_000;
/** So many of the last entries are shown. */
export const AUDIT_ROWS = 50;

/**
 * @typedef {import('./admin_api.js').RoomRow} RoomRow
 * @typedef {import('./admin_api.js').PeerRow} PeerRow
 * @typedef {import('./admin_api.js').AuditRow} AuditRow
 * @typedef {{ rooms: RoomRow[], peers: PeerRow[], audit: AuditRow[], ready: boolean, detail: string }} Seen
 */

/** `change`: something else is seen, or nothing is. @extends {Emitter<{ change: null }>} */
export class Watch extends Emitter {
  /** What was seen the last time. @type {Seen | null} */
  seen = null;
  /** And when. */
  at = new Date(0);
  /** Why it is not that of now. @type {ApiError | null} */
  error = null;
  /** The room whose peers are looked at. @type {string | null} */
  room = null;
  #api;
  #looking = false;
  #rounds = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {import('./admin_api.js').AdminApi} api */
  constructor(api) {
    super();
    this.#api = api;
  }

  /** Looks, from now on. */
  start() {
    this.#looking = true;
    return this.refresh();
  }

  /** Nobody looks. */
  stop() {
    this.#looking = false;
    this.#rounds += 1;
    clearTimeout(this.#timer);
  }

  /** Looks at this room's peers, or at nobody's. @param {string | null} room */
  choose(room) {
    this.room = room;
    if (this.seen) this.seen.peers = [];
    this.emit('change', null);
    return this.refresh();
  }

  /** Looks now. The newest of several looks counts. */
  async refresh() {
    clearTimeout(this.#timer);
    this.#rounds += 1;
    const round = this.#rounds;
    const [seen, error] = await this.#look();
    if (round !== this.#rounds) return;
    if (seen) Object.assign(this, { seen, at: new Date() });
    this.error = error;
    this.emit('change', null);
    // What is refused is refused until there is another token.
    if (!this.#looking || error?.isRefusal) return;
    this.#timer = setTimeout(() => void this.refresh(), error ? (error.retryMs ?? DOWN_MS) : POLL_MS);
  }

  /** @returns {Promise<[Seen | null, ApiError | null]>} */
  async #look() {
    try {
      const [rooms, peers, audit, { state, detail }] = await Promise.all([
        this.#api.rooms(),
        this.room === null ? [] : this.#api.peers(this.room),
        this.#api.audit(AUDIT_ROWS),
        this.#api.readiness(),
      ]);
      return [{ rooms, peers, audit, ready: state === 'ready', detail }, null];
    } catch (error) {
      return [null, error instanceof ApiError ? error : new ApiError(0, { code: 'unexpected', detail: String(error) })];
    }
  }
}
