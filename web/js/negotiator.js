/**
 * One pair of peers: who offers, who answers, what is kept, when another connection is tried. Pure: no clock, no
 * randomness, no I/O; the twin of the native peer's machine, held to it by `protocol/fixtures/negotiation`.
 *
 * Feed it with `handle`, then do what `pollAction` says until it is empty, and call `handle(now, 'tick')` at the instant
 * of `pollTimeout`. A pair outlives its connections: those are numbered, and what comes from an earlier one is ignored.
 *
 * The side that offered gives a connection 4, 6 and 10 s to open, each time a fresh one, then the pair has failed. The
 * side that answers waits 12 s, then offers itself. A failed pair still answers an offer. An open channel resets all.
 */
import { HeldCandidates, PastAttempts, newAttempt, offerOutstanding } from './attempt.js';

/**
 * @typedef {import('./protocol.js').Candidate} Candidate
 * @typedef {import('./attempt.js').Attempt} Attempt
 * @typedef {'connecting' | 'connected' | 'disconnected' | 'failed'} PairState
 * @typedef {{ sdp: string, attempt?: string | null }} NamedSdp
 * @typedef {{ candidate: Candidate | null, attempt?: string | null }} NamedCandidate
 */
/**
 * What happened. The keys are those of the golden traces.
 * @typedef {'start' | 'tick' | 'close'
 *   | { remote_offer: NamedSdp } | { remote_answer: NamedSdp } | { remote_candidate: NamedCandidate }
 *   | { local_candidate: { connection: number, candidate: Candidate | null } }
 *   | { offer_created: { connection: number, sdp: string } } | { answer_created: { connection: number, sdp: string } }
 *   | { answer_applied: { connection: number } } | { operation_failed: { connection: number, message: string } }
 *   | { channel_open: { connection: number } } | { connection_lost: { connection: number, reason: string } }} Input
 */
/**
 * What to do, in the order given. `create_offer`, `accept_offer` and `apply_answer` have a result, which is an input.
 * @typedef {{ offer: { sdp: string, attempt: string | null } } | { answer: { sdp: string, attempt: string | null } }
 *   | { candidate: { candidate: Candidate | null, attempt: string | null } }} Send
 * @typedef {{ open: { connection: number, channel: boolean } } | { create_offer: { connection: number } }
 *   | { accept_offer: { connection: number, sdp: string } } | { apply_answer: { connection: number, sdp: string } }
 *   | { add_candidate: { connection: number, candidate: Candidate | null } } | { send: Send }
 *   | { close: { connection: number } } | { state: PairState } | { error: { message: string } }} Action
 */

/** How long the side that offers lets a connection open: one wait for each try. */
export const OPEN_WAITS_MS = [4_000, 6_000, 10_000];
/** How long the side that answers waits for an open channel before it offers itself. */
export const RESPONDER_PATIENCE_MS = 12_000;
/** The same after an open connection was lost. */
export const RESPONDER_REOPEN_MS = 3_000;

const NOT_OPEN = 'the data channel did not open in time';

export class Negotiator {
  #offers = 0;
  #connections = 0;
  /** @type {Attempt | null} */
  #current = null;
  #past = new PastAttempts();
  #held = new HeldCandidates();
  /** An offer without an attempt that came while an operation was under way. @type {string | null} */
  #waitingOffer = null;
  /** Connections offered by this side since one was open or the other side offered. */
  #tries = 0;
  /** This side's tries were used up once since a channel was open. */
  #spent = false;
  /** @type {number | null} */
  #deadline = null;
  /** @type {PairState | null} */
  #state = null;
  #closed = false;
  /** @type {Action[]} */
  #actions = [];
  #options;

  /**
   * @param {object} options
   * @param {boolean} options.initiator this side offers first
   * @param {boolean} options.polite of two crossing offers this side's is dropped
   * @param {string} options.seed names this side's attempts; another one for each machine of the same peer
   */
  constructor(options) {
    this.#options = options;
  }

  /** The next thing to do. @returns {Action | null} */
  pollAction() {
    return this.#actions.shift() ?? null;
  }

  /** When `tick` is due, on the clock of `handle`. @returns {number | null} */
  pollTimeout() {
    return this.#deadline;
  }

  /** How far the pair is; null before it began. */
  get state() {
    return this.#state;
  }

  /**
   * Takes what happened at `now` (milliseconds of any clock that does not go back).
   * @param {number} now
   * @param {Input} input
   */
  handle(now, input) {
    if (this.#closed) return;
    if (input === 'start') this.#start(now);
    else if (input === 'tick') this.#tick(now);
    else if (input === 'close') this.#close();
    else if ('remote_offer' in input) this.#remoteOffer(now, input.remote_offer);
    else if ('remote_answer' in input) this.#remoteAnswer(input.remote_answer);
    else if ('remote_candidate' in input) this.#remoteCandidate(input.remote_candidate);
    else if ('local_candidate' in input) this.#localCandidate(input.local_candidate);
    else if ('offer_created' in input) this.#offerCreated(input.offer_created);
    else if ('answer_created' in input) this.#answerCreated(now, input.answer_created);
    else if ('answer_applied' in input) this.#answerApplied(now, input.answer_applied);
    else if ('operation_failed' in input) this.#operationFailed(now, input.operation_failed);
    else if ('channel_open' in input) this.#channelOpen(input.channel_open);
    else this.#connectionLost(now, input.connection_lost);
  }

  /** @param {number} now */
  #start(now) {
    if (this.#state) return;
    if (this.#options.initiator) return this.#offer(now);
    this.#enter('connecting');
    this.#deadline = now + RESPONDER_PATIENCE_MS;
  }

  /** @param {number} now @param {NamedSdp} offer */
  #remoteOffer(now, { sdp, attempt = null }) {
    if (attempt !== null && this.#isKnown(attempt)) return;
    const current = this.#current;
    if (!current) return this.#answer(now, sdp, attempt);
    if (offerOutstanding(current)) {
      if (this.#options.polite) this.#answer(now, sdp, attempt);
      else if (attempt !== null) this.#retire(attempt);
      return;
    }
    if (attempt === null && current.step === 'stable' && current.open) this.#renegotiate(sdp);
    else if (attempt === null && current.step !== 'stable') this.#waitingOffer = sdp;
    else this.#answer(now, sdp, attempt);
  }

  /** Whether an attempt is the current one or over. @param {string} name */
  #isKnown(name) {
    return this.#current?.name === name || this.#past.has(name);
  }

  /**
   * A fresh connection that answers the other side's offer.
   * @param {number} now @param {string} sdp @param {string | null} attempt
   */
  #answer(now, sdp, attempt) {
    this.#dropConnection();
    this.#tries = 0;
    const connection = this.#fresh(attempt, false);
    this.#actions.push({ accept_offer: { connection, sdp } });
    this.#deadline = now + RESPONDER_PATIENCE_MS;
  }

  /** The connection that is there answers another offer. @param {string} sdp */
  #renegotiate(sdp) {
    const current = this.#current;
    if (!current) return;
    current.step = 'accepting';
    this.#actions.push({ accept_offer: { connection: current.connection, sdp } });
  }

  /** A fresh connection with an offer of this side. @param {number} now */
  #offer(now) {
    this.#dropConnection();
    this.#offers += 1;
    const connection = this.#fresh(`${this.#options.seed}-${this.#offers}`, true);
    this.#actions.push({ create_offer: { connection } });
    const wait = OPEN_WAITS_MS[this.#tries];
    this.#deadline = wait === undefined ? null : now + wait;
    this.#tries += 1;
  }

  /** @param {string | null} name @param {boolean} offeredHere */
  #fresh(name, offeredHere) {
    this.#connections += 1;
    this.#current = newAttempt(this.#connections, name, offeredHere);
    this.#actions.push({ open: { connection: this.#connections, channel: offeredHere } });
    this.#enter('connecting');
    return this.#connections;
  }

  #dropConnection() {
    this.#waitingOffer = null;
    const attempt = this.#current;
    this.#current = null;
    if (!attempt) return;
    this.#actions.push({ close: { connection: attempt.connection } });
    if (attempt.name !== null) this.#retire(attempt.name);
  }

  /** What still comes of this attempt is not wanted. @param {string} name */
  #retire(name) {
    this.#held.forget(name);
    this.#past.add(name);
  }

  /** @param {{ connection: number, sdp: string }} created */
  #offerCreated({ connection, sdp }) {
    const current = this.#currentIf(connection, 'offering');
    if (!current) return;
    current.step = 'awaiting_answer';
    this.#sendDescription(current, { offer: { sdp, attempt: current.name } });
  }

  /** @param {number} now @param {{ connection: number, sdp: string }} created */
  #answerCreated(now, { connection, sdp }) {
    const current = this.#currentIf(connection, 'accepting');
    if (!current) return;
    this.#sendDescription(current, { answer: { sdp, attempt: current.name } });
    this.#stable(now);
  }

  /** @param {Attempt} current @param {Send} description */
  #sendDescription(current, description) {
    this.#actions.push({ send: description });
    for (const candidate of current.unsent ?? []) {
      this.#actions.push({ send: { candidate: { candidate, attempt: current.name } } });
    }
    current.unsent = null;
  }

  /** @param {NamedSdp} answer */
  #remoteAnswer({ sdp, attempt = null }) {
    const current = this.#current;
    if (current?.step !== 'awaiting_answer' || (attempt !== null && attempt !== current.name)) return;
    current.step = 'applying';
    this.#actions.push({ apply_answer: { connection: current.connection, sdp } });
  }

  /** @param {number} now @param {{ connection: number }} applied */
  #answerApplied(now, { connection }) {
    if (this.#currentIf(connection, 'applying')) this.#stable(now);
  }

  /** Both descriptions are in place: what waited for that goes on. @param {number} now */
  #stable(now) {
    const current = this.#current;
    if (!current) return;
    current.step = 'stable';
    current.hasRemote = true;
    for (const candidate of this.#held.take(current.name)) {
      this.#actions.push({ add_candidate: { connection: current.connection, candidate } });
    }
    const sdp = this.#waitingOffer;
    this.#waitingOffer = null;
    if (sdp === null) return;
    if (current.open) this.#renegotiate(sdp);
    else this.#answer(now, sdp, null);
  }

  /** @param {NamedCandidate} remote */
  #remoteCandidate({ candidate, attempt = null }) {
    if (attempt !== null && this.#past.has(attempt)) return;
    const current = this.#current;
    if (current?.hasRemote && (attempt === null || attempt === current.name)) {
      this.#actions.push({ add_candidate: { connection: current.connection, candidate } });
    } else {
      this.#held.add(attempt, candidate);
    }
  }

  /** @param {{ connection: number, candidate: Candidate | null }} local */
  #localCandidate({ connection, candidate }) {
    const current = this.#currentIf(connection);
    if (!current) return;
    if (current.unsent) current.unsent.push(candidate);
    else this.#actions.push({ send: { candidate: { candidate, attempt: current.name } } });
  }

  /** @param {{ connection: number }} open */
  #channelOpen({ connection }) {
    const current = this.#currentIf(connection);
    if (!current) return;
    current.open = true;
    this.#tries = 0;
    this.#spent = false;
    this.#deadline = null;
    this.#enter('connected');
  }

  /** @param {number} now @param {{ connection: number, message: string }} failed */
  #operationFailed(now, { connection, message }) {
    const current = this.#currentIf(connection);
    if (!current || current.step === 'awaiting_answer' || current.step === 'stable') return;
    // A renegotiation that can't be done leaves the open connection as it was.
    if (current.open && current.step !== 'offering') this.#stable(now);
    else if (current.step === 'accepting') this.#dropConnection();
    else this.#retry(now, message);
  }

  /** @param {number} now @param {{ connection: number, reason: string }} lost */
  #connectionLost(now, { connection, reason }) {
    const current = this.#currentIf(connection);
    if (!current) return;
    if (!current.open) {
      // The patience that runs says when the side that answers offers itself.
      if (current.offeredHere) this.#retry(now, reason);
      else this.#dropConnection();
      return;
    }
    this.#enter('disconnected');
    if (current.offeredHere) return this.#offer(now);
    this.#dropConnection();
    this.#deadline = now + RESPONDER_REOPEN_MS;
  }

  /** @param {number} now */
  #tick(now) {
    if (this.#deadline === null || now < this.#deadline) return;
    if (this.#current?.offeredHere) this.#retry(now, NOT_OPEN);
    else if (this.#spent) this.#fail(NOT_OPEN);
    else this.#offer(now);
  }

  /** The next connection of this side, if it has one left. @param {number} now @param {string} reason */
  #retry(now, reason) {
    if (this.#tries < OPEN_WAITS_MS.length) return this.#offer(now);
    this.#spent = true;
    this.#fail(reason);
  }

  /** @param {string} message */
  #fail(message) {
    this.#dropConnection();
    this.#deadline = null;
    this.#actions.push({ error: { message } });
    this.#enter('failed');
  }

  #close() {
    this.#dropConnection();
    this.#held.clear();
    this.#closed = true;
    this.#deadline = null;
  }

  /** @param {PairState} state */
  #enter(state) {
    if (this.#state === state) return;
    this.#state = state;
    this.#actions.push({ state });
  }

  /**
   * The current attempt, if it is this connection's (and at this step).
   * @param {number} connection @param {Attempt['step']} [step]
   */
  #currentIf(connection, step) {
    const current = this.#current;
    return current?.connection === connection && (step === undefined || current.step === step) ? current : null;
  }
}
