/**
 * The WebSocket to the server, which comes back by itself: after the close codes that say so, and after a connection
 * that ended without one, with a random wait below 0.5 s, 1 s, 2 s … 30 s (full jitter), so that a restarted server is
 * not met by everybody at once.
 */
import { Emitter } from './emitter.js';
import { PEER_ID_TAKEN, closeWord, shouldReconnect } from './close.js';

export const BACKOFF_BASE_MS = 500;
export const BACKOFF_CAP_MS = 30_000;
/** So long after a lost connection "peer id taken" may mean this peer itself, whose end the server has not seen yet. */
export const OWN_GHOST_MS = 60_000;
/** The longest wait while that is so. */
export const GHOST_WAIT_MS = 2_000;
/** So long the server may take to let this peer in. */
export const JOIN_WAIT_MS = 15_000;
export const PING_INTERVAL_MS = 25_000;
export const PONG_WAIT_MS = 10_000;

/**
 * @typedef {{ state: 'connecting', attempt: number } | { state: 'open' }
 *   | { state: 'waiting', attempt: number, delayMs: number, code: number, word: string }
 *   | { state: 'closed', code: number, word: string }} SessionStatus
 * @typedef {Pick<WebSocket, 'send' | 'close'> & { readyState: number,
 *   onopen: ((event: any) => void) | null, onmessage: ((event: any) => void) | null,
 *   onclose: ((event: any) => void) | null }} Socket
 */

/**
 * The wait before this attempt (from 1).
 * @param {number} attempt
 * @param {() => number} random in [0, 1)
 */
export function backoff(attempt, random) {
  return random() * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** (attempt - 1));
}

/** @extends {Emitter<{ status: SessionStatus, message: string }>} */
export class Session extends Emitter {
  /** @type {Socket | null} */
  #socket = null;
  #attempt = 0;
  /** When a connection that had joined was lost, until the next join. @type {number | null} */
  #lostAt = null;
  #joined = false;
  #pongs = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retryTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #watchdog;
  /** @type {SessionStatus | null} */
  #status = null;
  #options;

  /**
   * @param {object} options
   * @param {() => string} options.url
   * @param {(url: string) => Socket} [options.webSocket]
   * @param {() => number} [options.random]
   * @param {() => number} [options.now]
   * @param {boolean} [options.returning] this peer was there a moment ago, say before the page was loaded anew
   */
  constructor({ url, webSocket, random = Math.random, now = () => performance.now(), returning = false }) {
    super();
    this.#options = { url, webSocket: webSocket ?? ((at) => new WebSocket(at)), random, now };
    if (returning) this.#lostAt = now();
  }

  get status() {
    return this.#status;
  }

  /** Connects. Also: connects now instead of after the wait. */
  open() {
    if (this.#socket) return;
    clearTimeout(this.#retryTimer);
    this.#enter({ state: 'connecting', attempt: this.#attempt });
    /** @type {Socket} */
    const socket = this.#options.webSocket(this.#options.url());
    this.#socket = socket;
    socket.onopen = () => this.#enter({ state: 'open' });
    socket.onmessage = (event) => this.#received(event.data);
    socket.onclose = (event) => this.#ended(event.code);
    this.#watchdog = setTimeout(() => this.#silent(), JOIN_WAIT_MS);
  }

  /** Says that the server let this peer in: the next wait is a short one again. */
  joined() {
    this.#joined = true;
    this.#attempt = 0;
    this.#lostAt = null;
    this.#schedulePing();
  }

  /**
   * @param {string} text
   * @returns {boolean} false when there is no connection: the text is not sent, nor kept
   */
  send(text) {
    if (this.#socket?.readyState !== 1) return false;
    this.#socket.send(text);
    return true;
  }

  /** Ends the connection for good. */
  close() {
    this.#detach()?.close(1000);
    clearTimeout(this.#retryTimer);
    this.#enter({ state: 'closed', code: 1000, word: closeWord(1000) });
  }

  /** @param {unknown} data */
  #received(data) {
    if (typeof data !== 'string') return;
    this.#schedulePing();
    if (data.startsWith('{"type":"pong"')) this.#pongs = true;
    this.emit('message', data);
  }

  #schedulePing() {
    if (!this.#joined || !this.#socket) return;
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => this.#ping(), PING_INTERVAL_MS);
  }

  #ping() {
    this.send('{"type":"ping"}');
    // A server that has never answered a ping may be one that does not know it.
    if (this.#pongs) this.#watchdog = setTimeout(() => this.#silent(), PONG_WAIT_MS);
  }

  /** The other end is gone, and TCP has not noticed. */
  #silent() {
    this.#detach()?.close();
    this.#lost(1006);
  }

  #detach() {
    const socket = this.#socket;
    this.#socket = null;
    clearTimeout(this.#watchdog);
    if (socket) socket.onopen = socket.onmessage = socket.onclose = null;
    return socket;
  }

  /** @param {number} code */
  #ended(code) {
    this.#detach();
    this.#lost(code);
  }

  /** @param {number} code */
  #lost(code) {
    const now = this.#options.now();
    if (this.#joined) this.#lostAt = now;
    this.#joined = false;
    const ghost = code === PEER_ID_TAKEN && this.#lostAt !== null && now - this.#lostAt < OWN_GHOST_MS;
    if (!ghost && !shouldReconnect(code)) return this.#enter({ state: 'closed', code, word: closeWord(code) });
    this.#attempt += 1;
    const wait = backoff(this.#attempt, this.#options.random);
    const delayMs = Math.round(ghost ? Math.min(wait, GHOST_WAIT_MS) : wait);
    this.#retryTimer = setTimeout(() => this.open(), delayMs);
    this.#enter({ state: 'waiting', attempt: this.#attempt, delayMs, code, word: closeWord(code) });
  }

  /** @param {SessionStatus} status */
  #enter(status) {
    this.#status = status;
    this.emit('status', status);
  }
}
