/** WebSocket close codes: what each means, and which of them say "come back". */

/** @type {ReadonlyMap<number, string>} code → the stable word for it */
export const CLOSE_WORDS = new Map([
  [1000, 'left'],
  [1001, 'going_away'],
  [1002, 'protocol_error'],
  [1007, 'invalid_text'],
  [1008, 'policy'],
  [1009, 'too_big'],
  [1011, 'server_error'],
  [1012, 'restart'],
  [1013, 'overloaded'],
  [4001, 'replaced'],
  [4003, 'kicked'],
  [4008, 'too_slow'],
  [4029, 'rate_limited'],
  [4400, 'bad_request'],
  [4401, 'not_authenticated'],
  [4403, 'not_allowed'],
  [4408, 'no_heartbeat'],
  [4409, 'peer_id_taken'],
  [4423, 'room_full'],
]);

export const PEER_ID_TAKEN = 4409;
export const NO_HEARTBEAT = 4408;
export const NOT_AUTHENTICATED = 4401;

const COME_BACK = new Set([1001, 1011, 1012, 1013, 4008, 4029, 4408]);

/**
 * The stable word for a close code; `lost` when the connection ended without one.
 * @param {number} code
 */
export function closeWord(code) {
  return CLOSE_WORDS.get(code) ?? (withoutCode(code) ? 'lost' : 'unknown');
}

/**
 * Whether a client should connect again after this code. A connection that ended without a code: yes.
 * @param {number} code
 */
export function shouldReconnect(code) {
  return COME_BACK.has(code) || withoutCode(code);
}

/** 1005: a close frame without a code; 1006: no close frame; 1015: no TLS. @param {number} code */
function withoutCode(code) {
  return code === 1005 || code === 1006 || code === 1015;
}
