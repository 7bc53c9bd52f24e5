/**
 * The attempts of a pair: its negotiator, and the connection that it has now. Once they are closed nothing comes of them any
 * more, whatever the negotiator still had to do.
 */
import { Negotiator } from './negotiator.js';
import { isPolite, signalFor } from './protocol.js';
import { RtcConnection } from './rtc.js';
import { Runner } from './runner.js';

/**
 * @typedef {import('./negotiator/io.js').Action} Action
 * @typedef {import('./negotiator/io.js').Input} Input
 * @typedef {import('./rtc.js').ConnectionEvents} ConnectionEvents
 * @typedef {Pick<RtcConnection, 'createOffer' | 'acceptOffer' | 'applyAnswer' | 'addCandidate' | 'send' | 'stats' | 'close'
 *   | 'messageBytes' | 'hasStreams' | 'takesFrames' | 'sendFrames' | 'progress'>} Connection
 * @typedef {(options: ConstructorParameters<typeof RtcConnection>[0]) => Connection} CreateConnection
 *
 * @typedef {object} AttemptsOptions
 * @property {string} self
 * @property {string} peer
 * @property {boolean} initiator
 * @property {() => RTCIceServer[]} iceServers
 * @property {(signal: import('./protocol.js').Signal) => void} signal takes a signal to the remote peer; it may get lost
 * @property {CreateConnection} [createConnection]
 * @property {() => number} now
 * @property {() => string} [seed]
 * @property {Omit<ConnectionEvents, 'candidate'>} events of the connection that there is now; `lost` when that is over
 * @property {() => void} onConnecting an attempt begins, by either side
 * @property {() => void} onDropped there is no connection any more
 * @property {(reason: string) => void} onFailed
 */

export class Attempts {
  #options;
  #create;
  /** @type {{ number: number, connection: Connection | null } | null} */
  #current = null;
  #runner;
  /** Why the negotiator is about to fail. */
  #reason = '';

  /** @param {AttemptsOptions} options */
  constructor(options) {
    this.#options = options;
    this.#create = options.createConnection ?? ((connectionOptions) => new RtcConnection(connectionOptions));
    const negotiator = new Negotiator({
      initiator: options.initiator,
      polite: isPolite(options.self, options.peer),
      seed: (options.seed ?? randomSeed)(),
    });
    this.#runner = new Runner({
      machine: negotiator,
      poll: () => negotiator.pollAction(),
      run: (/** @type {Action} */ action) => this.#run(action),
      now: options.now,
    });
  }

  /** The connection that there is now. */
  get connection() {
    return this.#current?.connection ?? null;
  }

  /** Messages go over it. */
  opened() {
    if (this.#current) this.feed({ channel_open: { connection: this.#current.number } });
  }

  /** It won't do any more. @param {string} reason */
  lost(reason) {
    if (this.#current) this.feed({ connection_lost: { connection: this.#current.number, reason } });
  }

  close() {
    this.#runner.close();
    this.#current?.connection?.close();
    this.#current = null;
  }

  /** @param {Input} input */
  feed(input) {
    this.#runner.feed(input);
  }

  /** @param {Action} action */
  #run(action) {
    if ('open' in action) this.#open(action.open);
    else if ('send' in action) this.#options.signal(signalFor(this.#options.peer, action.send));
    else if ('state' in action) this.#entered(action.state);
    else if ('refused' in action) console.debug(`${this.#options.peer}: ${action.refused.message}`);
    else if ('error' in action) this.#reason = action.error.message;
    else if ('close' in action) this.#drop(action.close.connection);
    else if ('add_candidate' in action) this.#current?.connection?.addCandidate(action.add_candidate.candidate);
    else void this.#operate(action);
  }

  /** @param {import('./negotiator/io.js').State} state */
  #entered(state) {
    if (state === 'connecting') this.#options.onConnecting();
    else if (state === 'failed') this.#options.onFailed(this.#reason);
  }

  /** @param {Extract<Action, { create_offer: unknown } | { accept_offer: unknown } | { apply_answer: unknown }>} action */
  async #operate(action) {
    const number = this.#current?.number ?? 0;
    try {
      const connection = this.#current?.connection;
      if (!connection) throw new Error('this browser can not make a peer connection');
      if ('create_offer' in action) {
        this.feed({ offer_created: { connection: number, sdp: await connection.createOffer() } });
      } else if ('accept_offer' in action) {
        const sdp = await connection.acceptOffer(action.accept_offer.sdp);
        this.feed({ answer_created: { connection: number, sdp } });
      } else {
        await connection.applyAnswer(action.apply_answer.sdp);
        this.feed({ answer_applied: { connection: number } });
      }
    } catch (error) {
      this.feed({ operation_failed: { connection: number, message: String(error) } });
    }
  }

  /** @param {{ connection: number, channel: boolean }} open */
  #open({ connection: number, channel }) {
    const current = { number, connection: /** @type {Connection | null} */ (null) };
    this.#current = current;
    const events = this.#eventsOf(current);
    try {
      current.connection = this.#create({ iceServers: this.#options.iceServers(), channel, events });
    } catch (error) {
      // The operation that follows fails, and the negotiator decides what then.
      console.error(error);
    }
  }

  /**
   * What comes of a connection, as long as it is the pair's.
   * @param {{ number: number }} current
   * @returns {ConnectionEvents}
   */
  #eventsOf(current) {
    const { number } = current;
    const { events } = this.#options;
    const live = () => !this.#runner.closed && this.#current === current;
    return {
      candidate: (candidate) => this.feed({ local_candidate: { connection: number, candidate } }),
      open: () => live() && events.open(),
      message: (text) => live() && events.message(text),
      linked: () => live() && events.linked(),
      frames: (bytes) => live() && events.frames(bytes),
      writable: () => live() && events.writable(),
      silent: () => live() && events.silent(),
      heard: () => live() && events.heard(),
      lost: (reason) => live() && events.lost(reason),
    };
  }

  /** @param {number} number */
  #drop(number) {
    if (this.#current?.number !== number) return;
    this.#current.connection?.close();
    this.#current = null;
    this.#options.onDropped();
  }
}

/** Eight hexadecimal digits. */
function randomSeed() {
  return [...crypto.getRandomValues(new Uint8Array(4))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
