/** One attempt at a connection, and the candidates that came before they could be used. */

/** @typedef {import('../protocol.js').Candidate} Candidate */

/**
 * The connection that a pair has now.
 * @typedef {object} Attempt
 * @property {number} connection
 * @property {string | null} name null when the offer came from a client that does not name its attempts
 * @property {boolean} offeredHere
 * @property {'offering' | 'awaiting_answer' | 'applying' | 'accepting' | 'stable'} step
 *   where the exchange of descriptions stands; offering, applying and accepting are operations under way
 * @property {boolean} hasRemote the remote description was applied at least once: candidates can be added
 * @property {boolean} open
 * @property {string | null} remoteOffer the last offer that was taken for this attempt
 * @property {(Candidate | null)[] | null} unsent
 *   candidates of this side that wait for their description to be sent; null once it was
 */

/**
 * An offer that waits for the operation under way.
 * @typedef {object} WaitingOffer
 * @property {string} sdp
 * @property {boolean} underCurrent it came under the current attempt, so that it is a renegotiation
 */

/** Remote candidates of one pair that wait for their description. The oldest goes when one more comes. */
export const CANDIDATES_HELD = 64;
/** Names of attempts that are over and still known. */
export const PAST_ATTEMPTS = 64;

/**
 * @param {number} connection
 * @param {string | null} name
 * @param {boolean} offeredHere
 * @param {string | null} remoteOffer
 * @returns {Attempt}
 */
export function newAttempt(connection, name, offeredHere, remoteOffer) {
  const step = offeredHere ? 'offering' : 'accepting';
  return { connection, name, offeredHere, step, hasRemote: false, open: false, remoteOffer, unsent: [] };
}

/** Whether an offer that comes now crosses this one. @param {Attempt} attempt */
export function offerOutstanding(attempt) {
  return attempt.step === 'offering' || attempt.step === 'awaiting_answer';
}

/** Remote candidates that can't be added yet, oldest first. */
export class HeldCandidates {
  /** @type {{ name: string | null, candidate: Candidate | null }[]} */
  #held = [];

  /** @param {string | null} name @param {Candidate | null} candidate */
  add(name, candidate) {
    if (this.#held.length === CANDIDATES_HELD) this.#held.shift();
    this.#held.push({ name, candidate });
  }

  /** Takes those of this attempt and those that name none. @param {string | null} name */
  take(name) {
    const taken = this.#held.filter((held) => held.name === null || held.name === name);
    this.#held = this.#held.filter((held) => held.name !== null && held.name !== name);
    return taken.map((held) => held.candidate);
  }

  /** Drops those of an attempt that will not be used. @param {string} name */
  forget(name) {
    this.#held = this.#held.filter((held) => held.name !== name);
  }
}

/** Names of attempts that are over, so that their late messages are known for what they are. */
export class PastAttempts {
  /** @type {string[]} */
  #names = [];

  /** @param {string} name */
  add(name) {
    if (this.#names.length === PAST_ATTEMPTS) this.#names.shift();
    this.#names.push(name);
  }

  /** @param {string} name */
  has(name) {
    return this.#names.includes(name);
  }
}
