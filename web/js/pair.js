/**
 * One pair: how it is, the attempts at a connection, and what is said over it. Once it is closed nothing comes of it any more,
 * whatever its machines still had to do.
 */
import { Attempts } from './attempts.js';
import { Delivery } from './delivery.js';
import { Liveness } from './liveness.js';
import { CHANNEL_BYTES } from './message_limit.js';
import { inputFrom } from './protocol.js';
import { Runner } from './runner.js';

/**
 * @typedef {import('./liveness.js').PairState} PairState
 * @typedef {import('./liveness.js').Input} Input
 * @typedef {import('./attempts.js').CreateConnection} CreateConnection
 *
 * @typedef {import('./delivery.js').Outcome | 'handed_over'} Outcome
 *   how a message fared; `handed_over`: the other side has no streams, so that no more is known
 * @typedef {{ why?: string, gapMs?: number }} About
 *   why the pair is in another state; when it is open again, for how long it was not
 *
 * @typedef {Pick<import('./attempts.js').AttemptsOptions, 'self' | 'peer' | 'initiator' | 'iceServers' | 'signal'
 *   | 'createConnection' | 'seed'>} Reaching
 * @typedef {object} Telling
 * @property {(state: PairState, about: About) => unknown} onState
 * @property {() => unknown} onRestarted the other side's program is another one: what was not acknowledged is lost
 * @property {(text: string) => void} onMessage
 * @property {(message: string) => void} onError
 * @property {() => number} [now]
 * @typedef {Reaching & Telling} PairOptions
 */

export class Pair {
  #options;
  #now;
  #liveness = new Liveness();
  #attempts;
  #delivery;
  /** Messages go over streams, as far as is known. */
  #hasStreams = false;
  #runner;
  #wasOpen = false;
  /** When it ceased to be open. @type {number | null} */
  #brokenAt = null;

  /** @param {PairOptions} options */
  constructor(options) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#runner = new Runner({
      machine: this.#liveness,
      poll: () => this.#liveness.pollOutput(),
      run: (/** @type {import('./liveness.js').Output} */ output) => this.#run(output),
      now: this.#now,
    });
    this.#delivery = new Delivery(
      {
        message: options.onMessage,
        linked: (restarted) => this.#linked(restarted),
        ended: (reason, closed) => this.#ended(reason, closed),
      },
      this.#now,
    );
    this.#attempts = new Attempts({
      ...options,
      now: this.#now,
      events: this.#events(),
      onConnecting: () => this.#feed('negotiating'),
      onDropped: () => this.#delivery.disconnected(),
      onFailed: (reason) => this.#failed(reason),
    });
  }

  get state() {
    return this.#liveness.state;
  }

  /** It keeps what is said while its connections are replaced. */
  get hasStreams() {
    return this.#hasStreams;
  }

  start() {
    this.#attempts.feed('start');
  }

  /** What the remote peer sent. @param {import('./protocol.js').Signal} signal */
  signal(signal) {
    this.#attempts.feed(inputFrom(signal));
  }

  /** Something has changed elsewhere. @param {Extract<Input, 'present' | { network: unknown }>} input */
  hear(input) {
    this.#feed(input);
  }

  /** Looks whether what was sent makes progress: to be called each second. */
  look() {
    const progress = this.#attempts.connection?.progress;
    if (progress) this.#feed({ progress });
  }

  close() {
    this.#runner.close();
    this.#delivery.abandon('the pair is over');
    this.#attempts.close();
  }

  /** @param {string} text @returns {Promise<Outcome>} */
  async send(text) {
    if (this.#hasStreams) return this.#delivery.send(text);
    const { connection } = this.#attempts;
    if (!connection || this.messageBytes === 0) throw new Error('the data channel is not open');
    await connection.send(text);
    return 'handed_over';
  }

  /** The largest message that it takes now; 0: none. With streams it takes some also while its connection is replaced. */
  get messageBytes() {
    const { state } = this;
    if (state === 'connecting' || state === 'failed') return 0;
    if (this.#hasStreams) return CHANNEL_BYTES;
    return state === 'rebuilding' ? 0 : (this.#attempts.connection?.messageBytes ?? 0);
  }

  /** The path that the open connection takes. */
  async stats() {
    return (await this.#attempts.connection?.stats()) ?? null;
  }

  /** @returns {import('./attempts.js').AttemptsOptions['events']} */
  #events() {
    return {
      open: () => this.#attempts.connection?.hasStreams || this.#opened(false),
      message: (text) => this.#options.onMessage(text),
      linked: () => this.#attempts.connection && this.#delivery.connected(this.#attempts.connection),
      frames: (bytes) => this.#delivery.receive(bytes),
      writable: () => this.#delivery.writable(),
      silent: () => this.#feed('silent'),
      heard: () => this.#feed('heard'),
      lost: (reason) => this.#lost(reason),
    };
  }

  /** @param {Input} input */
  #feed(input) {
    this.#runner.feed(input);
  }

  /** @param {import('./liveness.js').Output} output */
  #run(output) {
    if (output === 'try_again') this.#attempts.feed('try_again');
    else if ('give_up' in output) this.#attempts.feed({ give_up: output.give_up });
    else if ('rebuild' in output) this.#attempts.lost(output.rebuild.reason);
    else this.#changed(output.state);
  }

  /** @param {{ state: PairState, reason: string | null }} change */
  #changed({ state, reason }) {
    const now = this.#now();
    const gap = state === 'open' && this.#brokenAt !== null ? { gapMs: Math.round(now - this.#brokenAt) } : {};
    if (state === 'open') [this.#wasOpen, this.#brokenAt] = [true, null];
    else if (this.#wasOpen) this.#brokenAt ??= now;
    this.#options.onState(state, { ...(reason !== null && { why: reason }), ...gap });
  }

  /** Messages go. @param {boolean} streams */
  #opened(streams) {
    if (this.#hasStreams && !streams) this.#delivery.abandon('the other side has no streams any more');
    this.#hasStreams = streams;
    this.#attempts.opened();
    this.#feed('opened');
  }

  /** @param {boolean} restarted */
  #linked(restarted) {
    if (restarted) this.#options.onRestarted();
    this.#opened(true);
  }

  /** @param {string} reason */
  #lost(reason) {
    this.#feed({ lost: { reason } });
    this.#attempts.lost(reason);
  }

  /** @param {string} reason @param {boolean} closed */
  #ended(reason, closed) {
    if (closed) this.#lost(reason);
    else this.#attempts.feed({ give_up: { reason } });
  }

  /** @param {string} reason */
  #failed(reason) {
    this.#options.onError(reason);
    this.#feed({ failed: { reason } });
  }
}
