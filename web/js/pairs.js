/** The pairs of a room, each with its connections; what is said to all of them. */
import { CHANNEL_BYTES } from './message_limit.js';
import { Pair } from './pair.js';
import { RoomError, checkSize, tooBig } from './room_error.js';

/**
 * @typedef {object} PairsOptions
 * @property {() => RTCIceServer[]} iceServers
 * @property {(signal: import('./protocol.js').Signal) => unknown} signal
 * @property {(peer: string, state: import('./negotiator/io.js').PairState) => void} onState
 * @property {(from: string, text: string) => void} onMessage
 * @property {(error: { code: string, message: string, peer: string, limit?: number }) => void} onError
 * @property {import('./pair.js').CreateConnection | undefined} createConnection
 * @property {() => number} now
 */

export class Pairs {
  /** @type {Map<string, Pair>} */
  #pairs = new Map();
  #options;

  /** @param {PairsOptions} options */
  constructor(options) {
    this.#options = options;
  }

  /** A pair with this peer, in the place of the one that there may be. @param {string} peer @param {string} self @param {boolean} initiator */
  start(peer, self, initiator) {
    this.#pairs.get(peer)?.close();
    const { iceServers, signal, onState, onMessage, onError, createConnection, now } = this.#options;
    const pair = new Pair({
      self,
      peer,
      initiator,
      iceServers,
      signal,
      onState: (state) => this.#pairs.get(peer) === pair && onState(peer, state),
      onMessage: (text) => onMessage(peer, text),
      onError: (message) => onError({ code: 'connection_failed', message, peer }),
      ...(createConnection && { createConnection }),
      now,
    });
    this.#pairs.set(peer, pair);
    pair.start();
  }

  /** @param {string} peer */
  close(peer) {
    this.#pairs.get(peer)?.close();
    this.#pairs.delete(peer);
  }

  /** @param {string} from @param {import('./protocol.js').Signal} signal */
  signal(from, signal) {
    this.#pairs.get(from)?.signal(signal);
  }

  /** The largest message that this peer takes. @param {string} peer */
  messageBytes(peer) {
    return this.#pairs.get(peer)?.messageBytes ?? 0;
  }

  /**
   * @param {string} text
   * @param {string} [to] one peer; default: everybody with an open channel
   * @returns {Promise<string[]>} to whom it was handed over
   */
  async send(text, to) {
    const bytes = checkSize(text, CHANNEL_BYTES);
    const open = [...this.#pairs].filter(([id, pair]) => pair.state === 'connected' && (to === undefined || to === id));
    if (open.length === 0) {
      throw to === undefined
        ? new RoomError('no_peers', 'there is no open channel to anybody')
        : new RoomError('not_open', `there is no open channel to ${to}`);
    }
    const taking = open.filter(([peer, pair]) => this.#takes(peer, pair.messageBytes, bytes));
    if (taking.length === 0) checkSize(text, Math.max(...open.map(([, pair]) => pair.messageBytes)));
    const results = await Promise.allSettled(taking.map(([, pair]) => pair.send(text)));
    const sent = taking.flatMap(([id], i) => (results[i]?.status === 'fulfilled' ? [id] : []));
    if (sent.length === 0) throw new RoomError('not_open', 'the data channel closed before the message was sent');
    return sent;
  }

  /** The path that each open connection takes now. */
  readStats() {
    return Promise.all(
      [...this.#pairs].map(async ([id, pair]) => {
        const path = pair.state === 'connected' ? await pair.stats().catch(() => null) : null;
        return /** @type {const} */ ([id, path]);
      }),
    );
  }

  /** @param {string} peer @param {number} limit @param {number} bytes */
  #takes(peer, limit, bytes) {
    if (bytes <= limit) return true;
    this.#options.onError({ code: 'too_big', message: tooBig(bytes, limit), peer, limit });
    return false;
  }
}
