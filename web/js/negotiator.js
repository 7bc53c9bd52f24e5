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
import { withStream } from './candidate.js';

/**
 * @typedef {import('./protocol.js').Candidate} Candidate
 * @typedef {import('./attempt.js').Attempt} Attempt
 * @typedef {import('./attempt.js').WaitingOffer} WaitingOffer
 * @typedef {import('./negotiator_io.js').PairState} PairState
 * @typedef {import('./negotiator_io.js').NamedSdp} NamedSdp
 * @typedef {import('./negotiator_io.js').Input} Input
 * @typedef {import('./negotiator_io.js').Send} Send
 * @typedef {import('./negotiator_io.js').Action} Action
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
  /** An offer that came while an operation was under way. @type {WaitingOffer | null} */
  #waitingOffer = null;
  /** Connections offered by this side since one was open or the other side offered. */
  #tries = 0;
  /** Why the other side can't use this side's description, when it says so. @type {string | null} */
  #refusal = null;
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
    else if ('remote_refusal' in input) this.#remoteRefusal(input.remote_refusal);
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
    if (attempt !== null && this.#past.has(attempt)) return;
    const current = this.#current;
    if (!current) return this.#answer(now, sdp, attempt);
    if (attempt !== null && attempt === current.name) return this.#sameAttempt(current, sdp);
    if (offerOutstanding(current)) {
      if (this.#options.polite) this.#answer(now, sdp, attempt);
      else if (attempt !== null) this.#retire(attempt);
      return;
    }
    if (attempt === null && current.step === 'stable' && current.open) this.#renegotiate(sdp);
    else if (attempt === null && current.step !== 'stable') this.#waitingOffer = { sdp, underCurrent: false };
    else this.#answer(now, sdp, attempt);
  }

  /**
   * An offer under the attempt that there is: a renegotiation, unless it is the same one once more.
   * @param {Attempt} current @param {string} sdp
   */
  #sameAttempt(current, sdp) {
    if (offerOutstanding(current) || current.remoteOffer === sdp) return;
    if (current.step === 'stable') this.#renegotiate(sdp);
    else this.#waitingOffer = { sdp, underCurrent: true };
  }

  /**
   * A fresh connection that answers the other side's offer.
   * @param {number} now @param {string} sdp @param {string | null} attempt
   */
  #answer(now, sdp, attempt) {
    this.#dropConnection();
    this.#tries = 0;
    const connection = this.#fresh(attempt, false, sdp);
    this.#actions.push({ accept_offer: { connection, sdp } });
    this.#deadline = now + RESPONDER_PATIENCE_MS;
  }

  /** The connection that is there answers another offer. @param {string} sdp */
  #renegotiate(sdp) {
    const current = this.#current;
    if (!current) return;
    current.step = 'accepting';
    current.remoteOffer = sdp;
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

  /** @param {string | null} name @param {boolean} offeredHere @param {string | null} [remoteOffer] */
  #fresh(name, offeredHere, remoteOffer = null) {
    this.#connections += 1;
    this.#current = newAttempt(this.#connections, name, offeredHere, remoteOffer);
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
    for (const candidate of current.unsent ?? []) this.#sendCandidate(current, candidate);
    current.unsent = null;
  }

  /** @param {Attempt} current @param {Candidate | null} candidate */
  #sendCandidate({ name }, candidate) {
    this.#actions.push({ send: { candidate: { candidate: withStream(candidate), attempt: name } } });
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

  /**
   * Both descriptions are in place: what waited for that goes on. Candidates that wait together with an offer are that
   * offer's.
   * @param {number} now
   */
  #stable(now) {
    const current = this.#current;
    if (!current) return;
    current.step = 'stable';
    current.hasRemote = true;
    const offer = this.#waitingOffer;
    this.#waitingOffer = null;
    if (offer && (offer.underCurrent || current.open)) return this.#renegotiate(offer.sdp);
    if (offer) return this.#answer(now, offer.sdp, null);
    for (const candidate of this.#held.take(current.name)) {
      this.#actions.push({ add_candidate: { connection: current.connection, candidate } });
    }
  }

  /** @param {import('./negotiator_io.js').NamedCandidate} remote */
  #remoteCandidate({ candidate, attempt = null }) {
    if (attempt !== null && this.#past.has(attempt)) return;
    const current = this.#current;
    if (current?.hasRemote && !this.#waitingOffer && (attempt === null || attempt === current.name)) {
      this.#actions.push({ add_candidate: { connection: current.connection, candidate } });
    } else {
      this.#held.add(attempt, candidate);
    }
  }

  /**
   * The other side can't use this side's description. Time decides what follows, as for one that says nothing.
   * @param {import('./negotiator_io.js').NamedRefusal} refusal
   */
  #remoteRefusal({ message, attempt = null }) {
    const current = this.#current;
    if (!current || (attempt !== null && attempt !== current.name)) return;
    const said = `it can't use this side's description: ${message}`;
    if (this.#refusal === said) return;
    this.#refusal = said;
    this.#actions.push({ refused: { message: said } });
  }

  /** @param {{ connection: number, candidate: Candidate | null }} local */
  #localCandidate({ connection, candidate }) {
    const current = this.#currentIf(connection);
    if (!current) return;
    if (current.unsent) current.unsent.push(candidate);
    else this.#sendCandidate(current, candidate);
  }

  /** @param {{ connection: number }} open */
  #channelOpen({ connection }) {
    const current = this.#currentIf(connection);
    if (!current) return;
    current.open = true;
    this.#tries = 0;
    this.#spent = false;
    this.#deadline = null;
    this.#refusal = null;
    this.#enter('connected');
  }

  /** @param {number} now @param {{ connection: number, message: string }} failed */
  #operationFailed(now, { connection, message }) {
    const current = this.#currentIf(connection);
    if (!current || current.step === 'awaiting_answer' || current.step === 'stable') return;
    if (current.step === 'offering') return this.#retry(now, message);
    this.#refuse(current, message);
    // A renegotiation that can't be done leaves the connection as it was.
    if (current.hasRemote) this.#stable(now);
    else if (current.step === 'applying') this.#retry(now, message);
    else this.#dropConnection();
  }

  /**
   * The other side's description can't be used: the program is told, and so is the other side.
   * @param {Attempt} current @param {string} message
   */
  #refuse({ step, name }, message) {
    const what = step === 'applying' ? 'answer' : 'offer';
    this.#actions.push({ refused: { message: `its ${what} can't be used: ${message}` } });
    this.#actions.push({ send: { refusal: { message, attempt: name } } });
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
    this.#actions.push({ error: { message: this.#refusal ?? message } });
    this.#refusal = null;
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
