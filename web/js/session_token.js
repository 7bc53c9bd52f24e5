/**
 * The token of a session: taken anew for each connection, and again when it nears its end. Another one takes its place on
 * the open connection (`auth`), which goes on as it was when the server does not like it.
 */
import { RoomError } from './room_error.js';
import { isToken, readToken } from './token.js';

/** So long before its end another token is asked for, and so often from then on. */
export const RENEW_MS = 60_000;
export const AGAIN_MS = 10_000;
/** So long the server may take to look at another token. */
export const ANSWER_MS = 10_000;
/** The longest wait of a browser's timer. */
const TIMER_MS = 2_147_483_647;

/**
 * @typedef {string | null | undefined} Given
 * @typedef {string | (() => Given | Promise<Given>)} TokenOption a token, or what gives the newest one
 * @typedef {{ token: string, timer: ReturnType<typeof setTimeout>, resolve: (until: Date) => void,
 *   reject: (error: RoomError) => void }} Renewal
 */

export class SessionToken {
  #option;
  #write;
  #clock;
  /** The one that the connection has. @type {string | null} */
  #current = null;
  /** How often one was asked for: an answer that comes after the next question counts no more. */
  #asked = 0;
  /** Sent over the connection, and not answered; the server answers in order. @type {Renewal[]} */
  #renewals = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {TokenOption | undefined} option
   * @param {(token: string) => boolean} write says it to the server, if there is a connection
   * @param {() => number} [clock] of the wall
   */
  constructor(option, write, clock = Date.now) {
    this.#option = option;
    this.#write = write;
    this.#clock = clock;
  }

  /**
   * Asks for the token that is to be used from now on; at once, where it is at hand.
   * @param {(token: string | null) => void} use
   * @param {() => void} fail there was an error where the token should come from
   */
  take(use, fail) {
    this.#asked += 1;
    const asked = this.#asked;
    const got = (/** @type {Given} */ token) => asked === this.#asked && use(token ?? null);
    const failed = () => asked === this.#asked && fail();
    try {
      const given = typeof this.#option === 'function' ? this.#option() : this.#option;
      if (typeof given === 'object' && given !== null) given.then(got, failed);
      else got(given);
    } catch {
      failed();
    }
  }

  /**
   * The one that the connection has was refused: is there another?
   * @param {(token: string) => void} yes
   * @param {() => void} no
   */
  takeOther(yes, no) {
    const refused = this.#current;
    this.take((token) => (token !== null && token !== refused ? yes(token) : no()), no);
  }

  /** The subprotocols that carry it to the server. @param {string | null} token @returns {string[]} */
  protocols(token) {
    this.#current = token;
    return token === null ? [] : ['grtc', `grtc.token.${token}`];
  }

  /** The server let this peer in: the token is looked after until it ends. */
  joined() {
    clearTimeout(this.#timer);
    const until = this.#current === null ? null : readToken(this.#current)?.until;
    if (typeof this.#option !== 'function' || typeof until !== 'number') return;
    const left = until - this.#clock();
    if (left <= 0) return;
    this.#timer = setTimeout(() => this.#nearEnd(), Math.min(Math.max(left - RENEW_MS, AGAIN_MS), TIMER_MS));
  }

  /** The connection is gone, and no answer comes any more. */
  ended() {
    clearTimeout(this.#timer);
    this.#asked += 1;
    for (const { timer, reject } of this.#renewals.splice(0)) {
      clearTimeout(timer);
      reject(new RoomError('not_joined', 'the connection ended before the server answered'));
    }
  }

  /**
   * Puts another token in the place of the one that the connection has.
   * @param {string} token
   * @returns {Promise<Date>} how long the server takes it
   */
  renew(token) {
    if (!isToken(token)) return Promise.reject(new RoomError('bad_token', 'that is no token'));
    if (!this.#write(token)) return Promise.reject(new RoomError('not_joined', 'there is no connection to the server'));
    return new Promise((resolve, reject) => {
      const late = () => this.refused('the server did not say whether it takes the token', 'no_answer');
      this.#renewals.push({ token, timer: setTimeout(late, ANSWER_MS), resolve, reject });
    });
  }

  /** The server took it. @param {string} expiresAt */
  taken(expiresAt) {
    const renewal = this.#answered();
    if (!renewal) return;
    this.#current = renewal.token;
    if (typeof this.#option !== 'function') this.#option = renewal.token;
    this.joined();
    renewal.resolve(new Date(expiresAt));
  }

  /** It did not. @param {string} message @param {string} [code] */
  refused(message, code = 'bad_token') {
    this.#answered()?.reject(new RoomError(code, message));
  }

  #answered() {
    const renewal = this.#renewals.shift();
    clearTimeout(renewal?.timer);
    return renewal;
  }

  /** Who does not have another one yet is asked again soon; the server ends what has no better one. */
  #nearEnd() {
    this.joined();
    const nothing = () => {};
    this.takeOther((token) => void this.renew(token).catch(nothing), nothing);
  }
}
