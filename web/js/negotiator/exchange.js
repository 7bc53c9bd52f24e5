/** Descriptions and candidates of one pair: what comes of the other side, and what an operation has made. */
import { withStream } from '../candidate.js';
import { HeldCandidates, PastAttempts, newAttempt, offerOutstanding } from './attempt.js';

/**
 * @typedef {import('../protocol.js').Candidate} Candidate
 * @typedef {import('./attempt.js').Attempt} Attempt
 * @typedef {import('./attempt.js').WaitingOffer} WaitingOffer
 * @typedef {import('./io.js').NamedSdp} NamedSdp
 * @typedef {import('./io.js').Send} Send
 */

export class Exchange {
  #connections = 0;
  /** @type {Attempt | null} */
  #current = null;
  #past = new PastAttempts();
  #held = new HeldCandidates();
  /** An offer that came while an operation was under way. @type {WaitingOffer | null} */
  #waitingOffer = null;
  #options;
  #actions;

  /**
   * @param {object} options
   * @param {boolean} options.polite of two crossing offers this side's is dropped
   * @param {import('./actions.js').Actions} options.actions
   * @param {() => void} options.onAnswering a fresh connection answers the other side's offer
   * @param {(reason: string) => void} options.onUnusable nothing can come of this side's offer
   */
  constructor(options) {
    this.#options = options;
    this.#actions = options.actions;
  }

  get current() {
    return this.#current;
  }

  /**
   * The current attempt, if it is this connection's (and at this step).
   * @param {number} connection @param {Attempt['step']} [step]
   */
  currentIf(connection, step) {
    const current = this.#current;
    return current?.connection === connection && (step === undefined || current.step === step) ? current : null;
  }

  /** A fresh connection with an offer of this side. @param {string} name */
  offer(name) {
    this.drop();
    const connection = this.#fresh(name, true);
    this.#actions.push({ create_offer: { connection } });
  }

  /** Ends the connection that there is. */
  drop() {
    this.#waitingOffer = null;
    const attempt = this.#current;
    this.#current = null;
    if (!attempt) return;
    this.#actions.push({ close: { connection: attempt.connection } });
    if (attempt.name !== null) this.#retire(attempt.name);
  }

  /** @param {NamedSdp} offer */
  remoteOffer({ sdp, attempt = null }) {
    if (attempt !== null && this.#past.has(attempt)) return;
    const current = this.#current;
    if (!current) return this.#answer(sdp, attempt);
    if (attempt !== null && attempt === current.name) return this.#sameAttempt(current, sdp);
    if (offerOutstanding(current)) {
      if (this.#options.polite) this.#answer(sdp, attempt);
      else if (attempt !== null) this.#retire(attempt);
      return;
    }
    if (attempt === null && current.step === 'stable' && current.open) this.#renegotiate(current, sdp);
    else if (attempt === null && current.step !== 'stable') this.#waitingOffer = { sdp, underCurrent: false };
    else this.#answer(sdp, attempt);
  }

  /**
   * An offer under the attempt that there is: a renegotiation, unless it is the same one once more.
   * @param {Attempt} current @param {string} sdp
   */
  #sameAttempt(current, sdp) {
    if (offerOutstanding(current) || current.remoteOffer === sdp) return;
    if (current.step === 'stable') this.#renegotiate(current, sdp);
    else this.#waitingOffer = { sdp, underCurrent: true };
  }

  /** A fresh connection that answers the other side's offer. @param {string} sdp @param {string | null} attempt */
  #answer(sdp, attempt) {
    this.drop();
    const connection = this.#fresh(attempt, false, sdp);
    this.#actions.push({ accept_offer: { connection, sdp } });
    this.#options.onAnswering();
  }

  /** The connection that is there answers another offer. @param {Attempt} current @param {string} sdp */
  #renegotiate(current, sdp) {
    current.step = 'accepting';
    current.remoteOffer = sdp;
    this.#actions.push({ accept_offer: { connection: current.connection, sdp } });
  }

  /** @param {string | null} name @param {boolean} offeredHere @param {string | null} [remoteOffer] */
  #fresh(name, offeredHere, remoteOffer = null) {
    this.#connections += 1;
    this.#current = newAttempt(this.#connections, name, offeredHere, remoteOffer);
    this.#actions.push({ open: { connection: this.#connections, channel: offeredHere } });
    this.#actions.enter('connecting');
    return this.#connections;
  }

  /** What still comes of this attempt is not wanted. @param {string} name */
  #retire(name) {
    this.#held.forget(name);
    this.#past.add(name);
  }

  /** @param {{ connection: number, sdp: string }} created */
  offerCreated({ connection, sdp }) {
    const current = this.currentIf(connection, 'offering');
    if (!current) return;
    current.step = 'awaiting_answer';
    this.#sendDescription(current, { offer: { sdp, attempt: current.name } });
  }

  /** @param {{ connection: number, sdp: string }} created */
  answerCreated({ connection, sdp }) {
    const current = this.currentIf(connection, 'accepting');
    if (!current) return;
    this.#sendDescription(current, { answer: { sdp, attempt: current.name } });
    this.#stable(current);
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
  remoteAnswer({ sdp, attempt = null }) {
    const current = this.#current;
    if (current?.step !== 'awaiting_answer' || (attempt !== null && attempt !== current.name)) return;
    current.step = 'applying';
    this.#actions.push({ apply_answer: { connection: current.connection, sdp } });
  }

  /** @param {{ connection: number }} applied */
  answerApplied({ connection }) {
    const current = this.currentIf(connection, 'applying');
    if (current) this.#stable(current);
  }

  /**
   * Both descriptions are in place: what waited for that goes on. Candidates that wait together with an offer are that
   * offer's.
   * @param {Attempt} current
   */
  #stable(current) {
    current.step = 'stable';
    current.hasRemote = true;
    const offer = this.#waitingOffer;
    this.#waitingOffer = null;
    if (offer && (offer.underCurrent || current.open)) return this.#renegotiate(current, offer.sdp);
    if (offer) return this.#answer(offer.sdp, null);
    for (const candidate of this.#held.take(current.name)) {
      this.#actions.push({ add_candidate: { connection: current.connection, candidate } });
    }
  }

  /** @param {import('./io.js').NamedCandidate} remote */
  remoteCandidate({ candidate, attempt = null }) {
    if (attempt !== null && this.#past.has(attempt)) return;
    const current = this.#current;
    if (current?.hasRemote && !this.#waitingOffer && (attempt === null || attempt === current.name)) {
      this.#actions.push({ add_candidate: { connection: current.connection, candidate } });
    } else {
      this.#held.add(attempt, candidate);
    }
  }

  /** @param {{ connection: number, candidate: Candidate | null }} local */
  localCandidate({ connection, candidate }) {
    const current = this.currentIf(connection);
    if (!current) return;
    if (current.unsent) current.unsent.push(candidate);
    else this.#sendCandidate(current, candidate);
  }

  /** @param {{ connection: number, message: string }} failed */
  operationFailed({ connection, message }) {
    const current = this.currentIf(connection);
    if (!current || current.step === 'awaiting_answer' || current.step === 'stable') return;
    if (current.step === 'offering') return this.#options.onUnusable(message);
    this.#refuse(current, message);
    // A renegotiation that can't be done leaves the connection as it was.
    if (current.hasRemote) this.#stable(current);
    else if (current.step === 'applying') this.#options.onUnusable(message);
    else this.drop();
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
}
