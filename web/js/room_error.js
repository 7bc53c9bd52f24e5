/** What could not be sent, and why. */
import { byteLength } from './protocol.js';

/** Why something could not be sent: `too_big` (with the `limit` in bytes), `no_peers`, `not_joined`, `not_open`, `unknown`; and why a token was not taken: `bad_token`, `no_answer`. */
export class RoomError extends Error {
  /** @param {string} code @param {string} message @param {number} [limit] */
  constructor(code, message, limit) {
    super(message);
    this.name = 'RoomError';
    this.code = code;
    this.limit = limit;
  }
}

/** @param {number} bytes @param {number} limit */
export function tooBig(bytes, limit) {
  return `${bytes} bytes: a message has at most ${limit}`;
}

/** @param {string} text @param {number} limit @returns {number} its bytes @throws {RoomError} */
export function checkSize(text, limit) {
  const bytes = byteLength(text);
  if (bytes > limit) throw new RoomError('too_big', tooBig(bytes, limit), limit);
  return bytes;
}
