/**
 * One pair of peers: who offers, who answers, what is kept, when another connection is tried. Pure: no clock, no
 * randomness, no I/O; the twin of the native peer's machine, held to it by `protocol/fixtures/negotiation`.
 *
 * Feed it with `handle`, then do what `pollAction` says until it is empty, and call `handle(now, 'tick')` at the instant
 * of `pollTimeout`. A pair outlives its connections: those are numbered, and what comes from an earlier one is ignored.
 *
 * The side that offered gives a connection 4, 6 and 10 s to open, each time a fresh one, then the pair has failed. The
 * side that answers waits 12 s, then offers itself. A failed pair still answers an offer. An open channel resets all.
 *
 * Whoever knows more than that says so: `try_again` makes an offer now and lets all tries begin anew, unless the two sides have
 * come to an exchange already; `give_up` ends the tries.
 */
import { Actions } from './negotiator/actions.js';
import { Exchange } from './negotiator/exchange.js';

/** @typedef {import('./negotiator/io.js').Input} Input */

/** How long the side that offers lets a connection open: one wait for each try. */
export const OPEN_WAITS_MS = [4_000, 6_000, 10_000];
/** How long the side that answers waits for an open channel before it offers itself. */
export const RESPONDER_PATIENCE_MS = 12_000;
/** The same after an open connection was lost. */
export const RESPONDER_REOPEN_MS = 3_000;

const NOT_OPEN = 'the data channel did not open in time';

export class Negotiator {
  #now = 0;
  #offers = 0;
  /** Connections offered by this side since one was open or the other side offered. */
  #tries = 0;
  /** Why the other side can't use this side's description, when it says so. @type {string | null} */
  #refusal = null;
  /** This side's tries were used up once since a channel was open. */
  #spent = false;
  /** @type {number | null} */
  #deadline = null;
  #actions = new Actions();
  #exchange;
  #options;

  /**
   * @param {object} options
   * @param {boolean} options.initiator this side offers first
   * @param {boolean} options.polite of two crossing offers this side's is dropped
   * @param {string} options.seed names this side's attempts; another one for each machine of the same peer
   */
  constructor(options) {
    this.#options = options;
    this.#exchange = new Exchange({
      polite: options.polite,
      actions: this.#actions,
      onAnswering: () => this.#answering(),
      onUnusable: (reason) => this.#retry(reason),
    });
  }

  /** The next thing to do. */
  pollAction() {
    return this.#actions.take();
  }

  /** When `tick` is due, on the clock of `handle`. @returns {number | null} */
  pollTimeout() {
    return this.#deadline;
  }

  /** How far the pair is; null before it began. */
  get state() {
    return this.#actions.state;
  }

  /**
   * Takes what happened at `now` (milliseconds of any clock that does not go back).
   * @param {number} now
   * @param {Input} input
   */
  handle(now, input) {
    this.#now = now;
    const exchange = this.#exchange;
    if (input === 'start') this.#start();
    else if (input === 'tick') this.#tick();
    else if (input === 'try_again') this.#tryAgain();
    else if ('give_up' in input) this.#giveUp(input.give_up.reason);
    else if ('remote_offer' in input) exchange.remoteOffer(input.remote_offer);
    else if ('remote_answer' in input) exchange.remoteAnswer(input.remote_answer);
    else if ('remote_candidate' in input) exchange.remoteCandidate(input.remote_candidate);
    else if ('remote_refusal' in input) this.#remoteRefusal(input.remote_refusal);
    else if ('local_candidate' in input) exchange.localCandidate(input.local_candidate);
    else if ('offer_created' in input) exchange.offerCreated(input.offer_created);
    else if ('answer_created' in input) exchange.answerCreated(input.answer_created);
    else if ('answer_applied' in input) exchange.answerApplied(input.answer_applied);
    else if ('operation_failed' in input) exchange.operationFailed(input.operation_failed);
    else if ('channel_open' in input) this.#channelOpen(input.channel_open);
    else this.#connectionLost(input.connection_lost);
  }

  #start() {
    if (this.state) return;
    if (this.#options.initiator) return this.#offer();
    this.#actions.enter('connecting');
    this.#waitFor(RESPONDER_PATIENCE_MS);
  }

  #offer() {
    this.#offers += 1;
    this.#exchange.offer(`${this.#options.seed}-${this.#offers}`);
    this.#waitFor(OPEN_WAITS_MS[this.#tries]);
    this.#tries += 1;
  }

  #answering() {
    this.#tries = 0;
    this.#waitFor(RESPONDER_PATIENCE_MS);
  }

  /** @param {number | undefined} wait */
  #waitFor(wait) {
    this.#deadline = wait === undefined ? null : this.#now + wait;
  }

  /**
   * The other side can't use this side's description. Time decides what follows, as for one that says nothing.
   * @param {import('./negotiator/io.js').NamedRefusal} refusal
   */
  #remoteRefusal({ message, attempt = null }) {
    const { current } = this.#exchange;
    if (!current || (attempt !== null && attempt !== current.name)) return;
    const said = `it can't use this side's description: ${message}`;
    if (this.#refusal === said) return;
    this.#refusal = said;
    this.#actions.push({ refused: { message: said } });
  }

  /** @param {{ connection: number }} open */
  #channelOpen({ connection }) {
    const current = this.#exchange.currentIf(connection);
    if (!current) return;
    current.open = true;
    this.#tries = 0;
    this.#spent = false;
    this.#deadline = null;
    this.#refusal = null;
    this.#actions.enter('connected');
  }

  /** @param {{ connection: number, reason: string }} lost */
  #connectionLost({ connection, reason }) {
    const current = this.#exchange.currentIf(connection);
    if (!current) return;
    if (!current.open) {
      // The patience that runs says when the side that answers offers itself.
      if (current.offeredHere) this.#retry(reason);
      else this.#exchange.drop();
      return;
    }
    this.#actions.enter('disconnected');
    if (current.offeredHere) return this.#offer();
    this.#exchange.drop();
    this.#waitFor(RESPONDER_REOPEN_MS);
  }

  /** Offers at once, whatever the role and whatever was tried, unless an exchange of descriptions is on its way or has ended. */
  #tryAgain() {
    const step = this.#exchange.current?.step;
    if (!this.state || (step && step !== 'offering' && step !== 'awaiting_answer')) return;
    this.#spent = false;
    // An offer that has not gone yet is as good as another.
    this.#tries = step === 'offering' ? 1 : 0;
    if (step !== 'offering') this.#offer();
  }

  /** @param {string} reason */
  #giveUp(reason) {
    if (!this.state || this.state === 'failed') return;
    this.#spent = true;
    this.#fail(reason);
  }

  #tick() {
    if (this.#deadline === null || this.#now < this.#deadline) return;
    if (this.#exchange.current?.offeredHere) this.#retry(NOT_OPEN);
    else if (this.#spent) this.#fail(NOT_OPEN);
    else this.#offer();
  }

  /** The next connection of this side, if it has one left. @param {string} reason */
  #retry(reason) {
    if (this.#tries < OPEN_WAITS_MS.length) return this.#offer();
    this.#spent = true;
    this.#fail(reason);
  }

  /** @param {string} message */
  #fail(message) {
    this.#exchange.drop();
    this.#deadline = null;
    this.#actions.push({ error: { message: this.#refusal ?? message } });
    this.#refusal = null;
    this.#actions.enter('failed');
  }
}
