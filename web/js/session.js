/**
 * The WebSocket to the server, which comes back by itself: after the close codes that say so, and after a connection
 * that ended without one, after a random wait (`backoff`) or the one that the server asks for; at once where there is a
 * reason (`waking`). A server that knows of resuming gets and gives then what the break swallowed (`resume`).
 */
import { AnswerWatch } from './answer_watch.js';
import { BACKOFF_CAP_MS, backoff } from './backoff.js';
import { Emitter } from './emitter.js';
import { NOT_AUTHENTICATED, NO_HEARTBEAT, PEER_ID_TAKEN, closeWord, shouldReconnect } from './close.js';
import { MESSAGE_BYTES, encode } from './protocol.js';
import { ID_BYTES, Resume } from './resume.js';
import { RoomError, checkSize } from './room_error.js';
import { SessionToken } from './session_token.js';
import { isToken } from './token.js';
import { onWaking } from './waking.js';

/** So long after a lost connection "peer id taken" may mean this peer itself, whose end the server has not seen yet. */
export const OWN_GHOST_MS = 60_000;
/** The longest wait while that is so. */
export const GHOST_WAIT_MS = 2_000;
/** So long the server may take to let this peer in. */
export const JOIN_WAIT_MS = 15_000;
export const PING_INTERVAL_MS = 25_000;
export const PONG_WAIT_MS = 10_000;
/** So long a sign of life may take when there is reason to doubt: after a change of the network or a sleep, or when a pair is interrupted. */
export const WAKE_WAIT_MS = 2_000;
export const DOUBT_WAIT_MS = 3_000;

/**
 * @typedef {import('./session_types.js').SessionStatus} SessionStatus
 * @typedef {import('./session_types.js').Socket} Socket
 */

/**
 * `woke`: the network is another one, or the machine slept (`waking`).
 * @extends {Emitter<{ status: SessionStatus, message: string, woke: { slept: boolean } }>}
 */
export class Session extends Emitter {
  /** What it shows the server. @readonly */
  token;
  #resume = new Resume();
  #answers;
  /** @type {Socket | null} */
  #socket = null;
  #attempt = 0;
  /** When a connection that had joined was lost, until the next join. @type {number | null} */
  #lostAt = null;
  #joined = false;
  #pongs = false;
  /** A sign of life was asked for out of turn; `asked`: the wait after a connection that gives none. @type {{ asked: number | null } | null} */
  #doubt = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retryTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #watchdog;
  /** @type {(() => void) | null} */
  #unwatch = null;
  /** @type {SessionStatus | null} */
  #status = null;
  #options;

  /** @param {import('./session_types.js').SessionOptions} options */
  constructor(options) {
    super();
    this.#options = {
      webSocket: (/** @type {string} */ url, /** @type {string[]} */ protocols) =>
        /** @type {Socket} */ (new WebSocket(url, protocols)),
      random: Math.random,
      now: () => performance.now(),
      waking: onWaking,
      ...options,
    };
    this.token = new SessionToken(
      options.token,
      (token) => this.#joined && this.#write(encode({ type: 'auth', token })),
    );
    // A server that is only slow is not to get all of its clients back at the same moment: the wait is a random one.
    const overdue = () => this.#check(DOUBT_WAIT_MS, null);
    this.#answers = new AnswerWatch({ now: this.#options.now, waits: () => this.#resume.waits, overdue });
    if (options.returning) this.#lostAt = this.#options.now();
  }

  get status() {
    return this.#status;
  }

  /** Whether what is handed over while there is no connection is kept until there is one. */
  get keeps() {
    return this.#resume.keeps;
  }

  /** Connects. Also: connects now instead of after the wait. */
  open() {
    if (this.#socket) return;
    clearTimeout(this.#retryTimer);
    this.#unwatch ??= this.#options.waking((slept) => this.#woke(slept));
    this.#enter({ state: 'connecting', attempt: this.#attempt });
    const failed = () => this.#lost(1006, null);
    this.token.take((token) => this.#connect(token), failed);
  }

  /** @param {string | null} token */
  #connect(token) {
    if (token !== null && !isToken(token)) return this.#over(NOT_AUTHENTICATED);
    const protocols = this.token.protocols(token);
    const socket = this.#options.webSocket(this.#options.url(this.#resume.query), protocols);
    this.#socket = socket;
    socket.onopen = () => this.#enter({ state: 'open' });
    socket.onmessage = (event) => this.#received(event.data);
    socket.onclose = (event) => this.#ended(event.code, event.reason);
    this.#watchdog = setTimeout(() => this.#silent(), JOIN_WAIT_MS);
  }

  /**
   * The server let this peer in: the next wait is a short one again.
   * @param {{ resume_token?: string, recovered?: boolean }} [state] its `room_state`
   * @returns {import('./resume.js').Arrival}
   */
  joined(state = {}) {
    this.#joined = true;
    this.#attempt = 0;
    this.#lostAt = null;
    const arrival = this.#resume.joined(state);
    this.#answers.beginAnew();
    // Who gives tokens answers pings.
    this.#pongs ||= this.keeps;
    this.token.joined();
    this.#schedulePing();
    this.#flush();
    return arrival;
  }

  /**
   * Sends a message. A server that knows of resuming gets it once, and in order, also over another connection.
   * @param {import('./protocol.js').ClientMessage} message
   * @returns {boolean} false: it is neither sent nor kept, since there is no connection, or too much waits for one
   */
  send(message) {
    if (!this.keeps) return this.#write(encode(message));
    const taken = this.#resume.take(message);
    this.#flush();
    return taken;
  }

  /**
   * The same for what somebody says: it is an error when it is not taken.
   * @param {import('./protocol.js').ClientMessage} message
   * @throws {RoomError}
   */
  say(message) {
    checkSize(encode(message), MESSAGE_BYTES - (this.keeps ? ID_BYTES : 0));
    if ((this.#joined || this.keeps) && this.send(message)) return;
    throw this.keeps
      ? new RoomError('too_much', 'too much waits for the server already')
      : new RoomError('not_joined', 'there is no connection to the server');
  }

  /** The server took or refused the message with this id. @param {string} ref */
  answered(ref) {
    const sentAt = this.#resume.answered(ref);
    if (sentAt !== null) this.#answers.answered(sentAt);
    this.#flush();
  }

  /** There is reason to think that the network is gone: asks for a sign of life, and takes the connection for lost without one. */
  doubt() {
    this.#check(DOUBT_WAIT_MS, 0);
  }

  /** Leaves, and ends the connection for good. */
  close() {
    this.#write('{"type":"leave"}');
    this.#detach()?.close(1000);
    clearTimeout(this.#retryTimer);
    this.#over(1000);
  }

  /** @param {string} text */
  #write(text) {
    if (this.#socket?.readyState !== 1) return false;
    this.#socket.send(text);
    return true;
  }

  #flush() {
    if (!this.#joined || this.#socket?.readyState !== 1) return;
    for (const text of this.#resume.due(this.#options.now())) this.#write(text);
    this.#answers.watch();
  }

  /** @param {boolean} slept */
  #woke(slept) {
    if (this.#status?.state === 'waiting') this.open();
    else this.#check(WAKE_WAIT_MS, 0);
    this.emit('woke', { slept });
  }

  /**
   * @param {number} waitMs
   * @param {number | null} asked how long to wait before the next connection, if it is no random time
   */
  #check(waitMs, asked) {
    if (!this.#joined || !this.#pongs || this.#doubt) return;
    this.#doubt = { asked };
    clearTimeout(this.#watchdog);
    this.#write('{"type":"ping"}');
    this.#watchdog = setTimeout(() => this.#silent(), waitMs);
  }

  /** @param {unknown} data */
  #received(data) {
    if (typeof data !== 'string') return;
    if (this.#joined) this.#resume.frame();
    if (data.startsWith('{"type":"pong"')) {
      this.#pongs = true;
      this.#doubt = null;
    }
    // What was under way before the doubt settles nothing.
    if (!this.#doubt) this.#schedulePing();
    this.emit('message', data);
  }

  #schedulePing() {
    if (!this.#joined || !this.#socket) return;
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => this.#ping(), PING_INTERVAL_MS);
  }

  #ping() {
    this.#write('{"type":"ping"}');
    // A server that has never answered a ping may be one that does not know it.
    if (this.#pongs) this.#watchdog = setTimeout(() => this.#silent(), PONG_WAIT_MS);
  }

  /** The other end is gone, and TCP has not noticed. With a code that is no goodbye, in case that it is there all the same. */
  #silent() {
    const asked = this.#doubt?.asked ?? null;
    this.#detach()?.close(NO_HEARTBEAT);
    this.#lost(1006, asked);
  }

  #detach() {
    const socket = this.#socket;
    this.#socket = null;
    this.#doubt = null;
    clearTimeout(this.#watchdog);
    this.token.ended();
    this.#answers.end();
    if (socket) socket.onopen = socket.onmessage = socket.onclose = null;
    return socket;
  }

  /** @param {number} code @param {string} [reason] */
  #ended(code, reason = '') {
    this.#detach();
    const hint = /^retry in (\d+) ms$/.exec(reason)?.[1];
    // A machine that slept was given up meanwhile: it is awake now.
    const slept = code === NO_HEARTBEAT && this.#joined;
    this.#lost(code, hint ? Math.min(Number(hint), BACKOFF_CAP_MS) : slept ? 0 : null, reason);
  }

  /** @param {number} code @param {number | null} asked the wait before the next attempt, if it is no random one @param {string} [reason] */
  #lost(code, asked, reason = '') {
    const now = this.#options.now();
    if (this.#joined) this.#lostAt = now;
    this.#joined = false;
    const ghost = code === PEER_ID_TAKEN && this.#lostAt !== null && now - this.#lostAt < OWN_GHOST_MS;
    if (code === NOT_AUTHENTICATED) {
      // Of no use any more, but there may be a newer one.
      const again = () => this.#wait(code, backoff(this.#attempt + 1, this.#options.random));
      return this.token.takeOther(again, () => this.#over(code, reason));
    }
    if (!ghost && !shouldReconnect(code)) return this.#over(code, reason);
    const wait = asked ?? backoff(this.#attempt + 1, this.#options.random);
    this.#wait(code, ghost ? Math.min(wait, GHOST_WAIT_MS) : wait);
  }

  /** @param {number} code @param {number} ms */
  #wait(code, ms) {
    this.#attempt += 1;
    const delayMs = Math.round(ms);
    this.#retryTimer = setTimeout(() => this.open(), delayMs);
    this.#enter({ state: 'waiting', attempt: this.#attempt, delayMs, code, word: closeWord(code) });
  }

  /** @param {number} code @param {string} [reason] what the server said of it */
  #over(code, reason = '') {
    this.#unwatch?.();
    this.#unwatch = null;
    this.#joined = false;
    this.#resume.forget();
    this.#enter({ state: 'closed', code, word: closeWord(code), ...(reason && { reason }) });
  }

  /** @param {SessionStatus} status */
  #enter(status) {
    this.#status = status;
    this.emit('status', status);
  }
}
