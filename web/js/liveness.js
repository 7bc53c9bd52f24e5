/**
 * What state a pair is in, and when its connection is to be replaced. Pure: no clock, no I/O; the twin of the native peer's
 * machine, held to it by `protocol/fixtures/liveness`. `docs/PROTOCOL.md` has its rules in a table.
 *
 * Feed it with `handle`, then do what `pollOutput` says until it is empty, and call `handle(now, 'tick')` at the instant of
 * `pollTimeout`. A connection is replaced by a fresh one and not repaired: one opens in less time than an ICE restart takes.
 */

/**
 * How a pair is.
 * - `connecting`: the first connection is being made, or waited for
 * - `open`: messages go
 * - `interrupted`: the connection is there, but nothing comes over it now
 * - `rebuilding`: it was open, and another connection is being made
 * - `failed`: given up, until something changes or the other side offers again
 * @typedef {'connecting' | 'open' | 'interrupted' | 'rebuilding' | 'failed'} PairState
 */
/**
 * What happened. The keys are those of the golden traces.
 * - `negotiating`: the negotiator is connecting: an attempt has begun, by either side
 * - `opened`, `lost`: messages can go; the current connection has ended
 * - `failed`: the negotiator has given up
 * - `silent`, `heard`: nothing has come for a while; something has come again
 * - `progress`: what the other side's stack has acknowledged; `waiting`: more is under way. Asked for each second while that is
 *   so, and once when it is not any more
 * - `network`: the addresses of this machine have changed; `gone`: the connection's own is not there any more, or it has slept
 * - `present`: the other one is in the room (again), or the link to the server is back
 * - `tick`: the instant of `pollTimeout` has come
 * @typedef {'negotiating' | 'opened' | 'silent' | 'heard' | 'present' | 'tick' | { lost: { reason: string } }
 *   | { failed: { reason: string } } | { progress: { acknowledged: number, waiting: boolean } }
 *   | { network: { gone: boolean } }} Input
 */
/**
 * What to do and to tell, in the order given.
 * - `state`: the pair is in another state
 * - `rebuild`: the connection is as good as lost, if it is still there: the negotiator is to hear that
 * - `try_again`: the negotiator is to offer now
 * - `give_up`: the negotiator is to give up
 * @typedef {{ state: { state: PairState, reason: string | null } } | { rebuild: { reason: string } } | 'try_again'
 *   | { give_up: { reason: string } }} Output
 */

/** Nothing has come for a while, and then not for this long: the connection is replaced. */
export const INTERRUPTED_MS = 2_000;
/** Something is under way and nothing more of it is acknowledged for this long: the connection is replaced. */
export const STALLED_OPEN_MS = 10_000;
/** The same when nothing comes either. */
export const STALLED_INTERRUPTED_MS = 5_000;
/** How long a pair that was open may be without a connection before it has failed: so its reason is told within 30 s. */
export const REBUILDING_MS = 28_000;

const SILENT = 'nothing has come for a while';
const NO_ANSWER = 'no answer for 2 s';
const STALLED = 'what was sent is not acknowledged any more';
const NETWORK = 'the network has changed, or this machine slept';
const REPLACED = 'another connection takes its place';
const NOT_REBUILT = 'no new connection within 28 s';

export class Liveness {
  /** @type {PairState} */
  #state = 'connecting';
  #wasOpen = false;
  /** When what it waits for now has to be there. @type {number | null} */
  #deadline = null;
  /** When it has to be open again, from the moment on at which it was not. */
  #rebuiltBy = 0;
  /** Since when nothing more was acknowledged, and how much was. @type {{ acknowledged: number, since: number } | null} */
  #stall = null;
  /** @type {Output[]} */
  #outputs = [];

  get state() {
    return this.#state;
  }

  /** The next thing to do or to tell. @returns {Output | null} */
  pollOutput() {
    return this.#outputs.shift() ?? null;
  }

  /** When `tick` is due, on the clock of `handle`. @returns {number | null} */
  pollTimeout() {
    return this.#deadline;
  }

  /**
   * Takes what happened at `now` (milliseconds of any clock that does not go back).
   * @param {number} now
   * @param {Input} input
   */
  handle(now, input) {
    if (input === 'negotiating') this.#negotiating(now);
    else if (input === 'opened') this.#opened();
    else if (input === 'silent') this.#silent(now);
    else if (input === 'heard') this.#heard();
    else if (input === 'present') this.#present();
    else if (input === 'tick') this.#tick(now);
    else if ('lost' in input) this.#lost(now, input.lost.reason);
    else if ('failed' in input) this.#failed(input.failed.reason);
    else if ('progress' in input) this.#progress(now, input.progress);
    else this.#network(now, input.network.gone);
  }

  get #hasConnection() {
    return this.#state === 'open' || this.#state === 'interrupted';
  }

  /** @param {number} now */
  #negotiating(now) {
    if (this.#hasConnection) this.#rebuilding(now, REPLACED);
    else if (this.#state === 'failed' && this.#wasOpen) this.#rebuilding(now, null);
    else if (this.#state === 'failed') this.#enter('connecting');
  }

  #opened() {
    this.#wasOpen = true;
    this.#stall = null;
    this.#enter('open');
  }

  /** @param {number} now @param {string} reason */
  #lost(now, reason) {
    if (this.#hasConnection) this.#rebuilding(now, reason);
  }

  /** @param {string} reason */
  #failed(reason) {
    this.#stall = null;
    this.#enter('failed', reason);
  }

  /** @param {number} now */
  #silent(now) {
    if (this.#state !== 'open') return;
    this.#rebuiltBy = now + REBUILDING_MS;
    this.#enter('interrupted', SILENT, now + INTERRUPTED_MS);
  }

  #heard() {
    if (this.#state === 'interrupted') this.#enter('open');
  }

  #present() {
    if (this.#state === 'rebuilding' || this.#state === 'failed') this.#outputs.push('try_again');
  }

  /** @param {number} now @param {{ acknowledged: number, waiting: boolean }} look */
  #progress(now, { acknowledged, waiting }) {
    if (!waiting || !this.#hasConnection) {
      this.#stall = null;
      return;
    }
    if (this.#stall?.acknowledged !== acknowledged) this.#stall = { acknowledged, since: now };
    const patience = this.#state === 'open' ? STALLED_OPEN_MS : STALLED_INTERRUPTED_MS;
    if (now < this.#stall.since + patience) return;
    this.#replace(now, STALLED);
  }

  /** @param {number} now @param {boolean} gone */
  #network(now, gone) {
    if (this.#state === 'open' && !gone) return;
    if (this.#hasConnection) this.#replace(now, NETWORK);
    else this.#outputs.push('try_again');
  }

  /** @param {number} now */
  #tick(now) {
    if (this.#deadline === null || now < this.#deadline) return;
    if (this.#state === 'interrupted') return this.#replace(now, NO_ANSWER);
    this.#failed(NOT_REBUILT);
    this.#outputs.push({ give_up: { reason: NOT_REBUILT } });
  }

  /** The connection that there is won't do. The other side may not have noticed: this one offers. @param {number} now @param {string} reason */
  #replace(now, reason) {
    this.#rebuilding(now, reason);
    this.#outputs.push({ rebuild: { reason } });
    this.#outputs.push('try_again');
  }

  /** @param {number} now @param {string | null} reason */
  #rebuilding(now, reason) {
    if (this.#state !== 'interrupted') this.#rebuiltBy = now + REBUILDING_MS;
    this.#stall = null;
    this.#enter('rebuilding', reason, this.#rebuiltBy);
  }

  /** @param {PairState} state @param {string | null} [reason] @param {number | null} [deadline] */
  #enter(state, reason = null, deadline = null) {
    this.#deadline = deadline;
    if (this.#state === state) return;
    this.#state = state;
    this.#outputs.push({ state: { state, reason } });
  }
}
