/** What goes in and what comes out of a session, in the words of the program. */

/**
 * A stream, as one side names it: even when it has opened it, odd when the other side has.
 * @typedef {number} StreamId
 */
/**
 * What the program has to know. A position counts the bytes that were written to a stream.
 * @typedef {{ linked: { restarted: boolean } }
 *   | { opened: { stream: StreamId, label: string } }
 *   | { readable: { stream: StreamId } }
 *   | { writable: { stream: StreamId } }
 *   | { acknowledged: { stream: StreamId, position: number } }
 *   | { unknown: { stream: StreamId, position: number } }
 *   | { finished: { stream: StreamId } }
 *   | { reset: { stream: StreamId, code: number, reason: string } }
 *   | { stopped: { stream: StreamId, code: number, reason: string } }
 *   | { ended: { code: number, reason: string } }} Output
 */
/**
 * Why nothing was taken.
 * @typedef {'full' | 'too_long' | 'ended' | 'too_many'} WriteError
 */

/** Numbers that say why something ended; those of a stream are the program's own, but for `RESTARTED`. */
export const CODE = Object.freeze({
  CLOSED: 0,
  MALFORMED: 1,
  VERSION: 2,
  OUT_OF_PLACE: 3,
  BEYOND_BOUND: 4,
  RESTARTED: 1,
});

/** A rule that the other side has broken. It ends the session. */
export class Breach extends Error {
  /** @param {number} code @param {string} reason */
  constructor(code, reason) {
    super(reason);
    this.code = code;
  }
}

/** @param {string} reason */
export const malformed = (reason) => new Breach(CODE.MALFORMED, reason);

/** @param {string} reason */
export const outOfPlace = (reason) => new Breach(CODE.OUT_OF_PLACE, reason);

/** @param {string} reason */
export const beyond = (reason) => new Breach(CODE.BEYOND_BOUND, reason);

/** @param {StreamId} id */
export const isOwn = (id) => id % 2 === 0;

/** Counts the streams that one side has opened. @param {StreamId} id */
export const numberOf = (id) => Math.floor(id / 2);

/** What the other side calls it. @param {StreamId} id @returns {StreamId} */
export const seenFromThere = (id) => (isOwn(id) ? id + 1 : id - 1);
