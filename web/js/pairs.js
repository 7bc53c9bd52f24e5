/** The pairs of a room, each with its connections; what is said to all of them. */
import { CHANNEL_BYTES } from './message_limit.js';
import { Pair } from './pair.js';
import { RoomError, checkSize, tooBig } from './room_error.js';

/**
 * @typedef {import('./pair.js').Outcome | 'failed'} Outcome
 *   `failed`: the pair ended, or the other program was restarted, before it was acknowledged
 * @typedef {{ to: string[], outcomes: Promise<Map<string, Outcome>> }} Submitted
 *   whom a message goes to, and what became of it with each of them
 *
 * @typedef {object} PairsOptions
 * @property {() => RTCIceServer[]} iceServers
 * @property {(signal: import('./protocol.js').Signal) => unknown} signal
 * @property {(peer: string, state: import('./pair.js').PairState, about: import('./pair.js').About) => void} onState
 * @property {(peer: string) => void} onRestarted
 * @property {(from: string, text: string) => void} onMessage
 * @property {(error: { code: string, message: string, peer: string, limit?: number }) => void} onError
 * @property {import('./attempts.js').CreateConnection | undefined} createConnection
 * @property {() => number} now
 */

/** Between two looks at whether what was sent makes progress. */
const LOOK_MS = 1_000;

export class Pairs {
  /** @type {Map<string, Pair>} */
  #pairs = new Map();
  /** Runs while there are pairs. @type {ReturnType<typeof setInterval> | undefined} */
  #looks;
  #options;

  /** @param {PairsOptions} options */
  constructor(options) {
    this.#options = options;
  }

  /** A pair with this peer, in the place of the one that there may be. @param {string} peer @param {string} self @param {boolean} initiator */
  start(peer, self, initiator) {
    this.#pairs.get(peer)?.close();
    const { iceServers, signal, onState, onRestarted, onMessage, onError, createConnection, now } = this.#options;
    const pair = new Pair({
      self,
      peer,
      initiator,
      iceServers,
      signal,
      onState: (state, about) => this.#pairs.get(peer) === pair && onState(peer, state, about),
      onRestarted: () => onRestarted(peer),
      onMessage: (text) => onMessage(peer, text),
      onError: (message) => onError({ code: 'connection_failed', message, peer }),
      ...(createConnection && { createConnection }),
      now,
    });
    if (this.#pairs.size === 0) this.#looks = setInterval(() => this.#look(), LOOK_MS);
    this.#pairs.set(peer, pair);
    pair.start();
  }

  /** @param {string} peer */
  close(peer) {
    this.#pairs.get(peer)?.close();
    this.#pairs.delete(peer);
    if (this.#pairs.size === 0) clearInterval(this.#looks);
  }

  /** @param {string} from @param {import('./protocol.js').Signal} signal */
  signal(from, signal) {
    this.#pairs.get(from)?.signal(signal);
  }

  /** Something has changed elsewhere, for one of them or for all. @param {Parameters<Pair['hear']>[0]} input @param {string} [peer] */
  hear(input, peer) {
    for (const [id, pair] of this.#pairs) if (peer === undefined || peer === id) pair.hear(input);
  }

  /** What is said to this peer outlives the connection to it. @param {string} peer */
  hasStreams(peer) {
    return this.#pairs.get(peer)?.hasStreams ?? false;
  }

  /** The largest message that this peer takes now. @param {string} peer */
  messageBytes(peer) {
    return this.#pairs.get(peer)?.messageBytes ?? 0;
  }

  /**
   * Hands a message over.
   * @param {string} text
   * @param {string} [to] one peer; default: everybody who takes one
   * @returns {Submitted}
   * @throws {RoomError}
   */
  submit(text, to) {
    const bytes = checkSize(text, CHANNEL_BYTES);
    const open = [...this.#pairs].filter(([id, pair]) => pair.messageBytes > 0 && (to === undefined || to === id));
    if (open.length === 0) {
      throw to === undefined
        ? new RoomError('no_peers', 'there is no open channel to anybody')
        : new RoomError('not_open', `there is no open channel to ${to}`);
    }
    const taking = open.filter(([peer, pair]) => this.#takes(peer, pair.messageBytes, bytes));
    if (taking.length === 0) checkSize(text, Math.max(...open.map(([, pair]) => pair.messageBytes)));
    const sent = taking.map(async ([id, pair]) => {
      const outcome = await pair.send(text).catch(() => /** @type {const} */ ('failed'));
      return /** @type {[string, Outcome]} */ ([id, outcome]);
    });
    return { to: taking.map(([id]) => id), outcomes: Promise.all(sent).then((outcomes) => new Map(outcomes)) };
  }

  /**
   * The same, and waits until each peer's program has it, or that is not known.
   * @param {string} text
   * @param {string} [to]
   * @returns {Promise<string[]>} those who have it
   * @throws {RoomError}
   */
  async send(text, to) {
    const outcomes = await this.submit(text, to).outcomes;
    const having = [...outcomes].flatMap(([id, outcome]) =>
      outcome === 'delivered' || outcome === 'handed_over' ? [id] : [],
    );
    if (having.length > 0) return having;
    throw [...outcomes.values()].includes('unknown')
      ? new RoomError('unknown', 'nobody has said to have the message: it may have arrived')
      : new RoomError('not_open', 'the pair ended before the message had arrived');
  }

  /** The path that the open connection to this peer takes. @param {string} peer */
  async path(peer) {
    return (await this.#pairs.get(peer)?.stats()) ?? null;
  }

  /** The path that each open connection takes now. */
  readStats() {
    return Promise.all(
      [...this.#pairs].map(async ([id, pair]) => {
        const path = pair.state === 'open' ? await pair.stats().catch(() => null) : null;
        return /** @type {const} */ ([id, path]);
      }),
    );
  }

  #look() {
    for (const pair of this.#pairs.values()) pair.look();
  }

  /** @param {string} peer @param {number} limit @param {number} bytes */
  #takes(peer, limit, bytes) {
    if (bytes <= limit) return true;
    this.#options.onError({ code: 'too_big', message: tooBig(bytes, limit), peer, limit });
    return false;
  }
}
