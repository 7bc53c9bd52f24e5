/**
 * One pair: its negotiator, the connection that it has now, and the timer for both. Once it is closed nothing comes of it
 * any more, whatever its negotiator still had to do.
 */
import { Negotiator } from './negotiator.js';
import { inputFrom, isPolite, signalFor } from './protocol.js';
import { RtcConnection } from './rtc.js';

/**
 * @typedef {import('./negotiator/io.js').Action} Action
 * @typedef {import('./negotiator/io.js').Input} Input
 * @typedef {import('./negotiator/io.js').PairState} PairState
 * @typedef {import('./protocol.js').Signal} Signal
 * @typedef {Pick<RtcConnection, 'createOffer' | 'acceptOffer' | 'applyAnswer' | 'addCandidate' | 'send' | 'stats' | 'close' | 'messageBytes'>} Connection
 * @typedef {(options: ConstructorParameters<typeof RtcConnection>[0]) => Connection} CreateConnection
 *
 * @typedef {object} PairOptions
 * @property {string} self
 * @property {string} peer
 * @property {boolean} initiator
 * @property {() => RTCIceServer[]} iceServers
 * @property {(signal: Signal) => void} signal takes a signal to the remote peer; it may get lost
 * @property {(state: PairState) => unknown} onState
 * @property {(text: string) => void} onMessage
 * @property {(message: string) => void} onError
 * @property {CreateConnection} [createConnection]
 * @property {() => number} [now]
 * @property {() => string} [seed]
 */

export class Pair {
  #options;
  #now;
  #create;
  #negotiator;
  /** @type {{ number: number, connection: Connection | null } | null} */
  #current = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #running = false;
  #closed = false;

  /** @param {PairOptions} options */
  constructor(options) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#create = options.createConnection ?? ((connectionOptions) => new RtcConnection(connectionOptions));
    this.#negotiator = new Negotiator({
      initiator: options.initiator,
      polite: isPolite(options.self, options.peer),
      seed: (options.seed ?? randomSeed)(),
    });
  }

  get state() {
    return this.#negotiator.state;
  }

  start() {
    this.#feed('start');
  }

  /** What the remote peer sent. @param {Signal} signal */
  signal(signal) {
    this.#feed(inputFrom(signal));
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#current?.connection?.close();
    this.#current = null;
  }

  /** @param {string} text */
  async send(text) {
    if (!this.#current?.connection || this.state !== 'connected') throw new Error('the data channel is not open');
    await this.#current.connection.send(text);
  }

  /** The largest message that the open connection takes. */
  get messageBytes() {
    return this.#current?.connection?.messageBytes ?? 0;
  }

  /** The path that the open connection takes. */
  async stats() {
    return (await this.#current?.connection?.stats()) ?? null;
  }

  /** @param {Input} input */
  #feed(input) {
    this.#negotiator.handle(this.#now(), input);
    if (this.#running) return;
    this.#running = true;
    for (let action = this.#next(); action; action = this.#next()) this.#run(action);
    this.#running = false;
    if (!this.#closed) this.#schedule();
  }

  #next() {
    return this.#closed ? null : this.#negotiator.pollAction();
  }

  #schedule() {
    clearTimeout(this.#timer);
    const at = this.#negotiator.pollTimeout();
    if (at !== null) this.#timer = setTimeout(() => this.#feed('tick'), Math.max(0, at - this.#now()));
  }

  /** @param {Action} action */
  #run(action) {
    if ('open' in action) this.#open(action.open);
    else if ('send' in action) this.#options.signal(signalFor(this.#options.peer, action.send));
    else if ('state' in action) this.#options.onState(action.state);
    else if ('refused' in action) console.debug(`${this.#options.peer}: ${action.refused.message}`);
    else if ('error' in action) this.#options.onError(action.error.message);
    else if ('close' in action) this.#drop(action.close.connection);
    else if ('add_candidate' in action) this.#current?.connection?.addCandidate(action.add_candidate.candidate);
    else void this.#operate(action);
  }

  /** @param {Extract<Action, { create_offer: unknown } | { accept_offer: unknown } | { apply_answer: unknown }>} action */
  async #operate(action) {
    const number = this.#current?.number ?? 0;
    try {
      const connection = this.#current?.connection;
      if (!connection) throw new Error('this browser can not make a peer connection');
      if ('create_offer' in action) {
        this.#feed({ offer_created: { connection: number, sdp: await connection.createOffer() } });
      } else if ('accept_offer' in action) {
        const sdp = await connection.acceptOffer(action.accept_offer.sdp);
        this.#feed({ answer_created: { connection: number, sdp } });
      } else {
        await connection.applyAnswer(action.apply_answer.sdp);
        this.#feed({ answer_applied: { connection: number } });
      }
    } catch (error) {
      this.#feed({ operation_failed: { connection: number, message: String(error) } });
    }
  }

  /** @param {{ connection: number, channel: boolean }} open */
  #open({ connection: number, channel }) {
    const events = {
      /** @param {import('./protocol.js').Candidate | null} candidate */
      candidate: (candidate) => this.#feed({ local_candidate: { connection: number, candidate } }),
      open: () => this.#feed({ channel_open: { connection: number } }),
      message: this.#options.onMessage,
      /** @param {string} reason */
      lost: (reason) => this.#feed({ connection_lost: { connection: number, reason } }),
    };
    this.#current = { number, connection: null };
    try {
      this.#current.connection = this.#create({ iceServers: this.#options.iceServers(), channel, events });
    } catch (error) {
      // The operation that follows fails, and the negotiator decides what then.
      console.error(error);
    }
  }

  /** @param {number} number */
  #drop(number) {
    if (this.#current?.number !== number) return;
    this.#current.connection?.close();
    this.#current = null;
  }
}

/** Eight hexadecimal digits. */
function randomSeed() {
  return [...crypto.getRandomValues(new Uint8Array(4))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
