/**
 * The messages that a client and the server exchange: one JSON object in each text frame. The golden files under
 * `protocol/fixtures` hold this module and its Rust twin to the same words.
 */
import { withStream } from './candidate.js';

export { NAME_CHARS, InvalidName, parseName, compareNames, isPolite } from './names.js';

/** Longest WebSocket message, in bytes of UTF-8. */
export const MESSAGE_BYTES = 64 * 1024;
/** Most that a peer says about itself, as JSON. */
export const METADATA_BYTES = 4_096;

/**
 * @typedef {{ type: 'offer', target_peer_id: string, offer: Description, attempt?: string | null }} OfferMessage
 * @typedef {{ type: 'answer', target_peer_id: string, answer: Description, attempt?: string | null }} AnswerMessage
 * @typedef {{ type: 'ice_candidate', target_peer_id: string, candidate: Candidate | null, attempt?: string | null, refused?: string }} CandidateMessage
 * @typedef {OfferMessage | AnswerMessage | CandidateMessage} Signal
 * @typedef {{ type: string, sdp: string }} Description
 * @typedef {{ candidate?: string, sdpMid?: string | null, sdpMLineIndex?: number | null, usernameFragment?: string | null }} Candidate
 * @typedef {{ type: 'broadcast', data: unknown, id?: string }} Broadcast
 * @typedef {{ type: 'message', target_peer_id: string, data: unknown, id?: string }} Direct
 * @typedef {{ type: 'report', peer_id: string, result: 'connected' | 'failed', pair?: { local: string, remote: string, protocol: string },
 *   timings_ms?: { total: number }, id?: string }} Report
 * @typedef {Signal | Broadcast | Direct | Report | { type: 'metadata', metadata: object, id?: string }
 *   | { type: 'auth', token: string, id?: string } | { type: 'leave' } | { type: 'ping' }} ClientMessage
 */

/**
 * @typedef {'left' | 'lost' | 'replaced' | 'kicked' | 'slow' | 'expired' | 'node_lost' | 'unknown'} LeaveReason
 * @typedef {{ type: 'room_state', peers: string[], your_peer_id: string, room_id?: string, ice_servers?: RTCIceServer[], seq?: number, epoch?: string, resume_token?: string, recovered?: boolean,
 *   metadata?: Record<string, Record<string, unknown>> }} RoomState
 * @typedef {{ type: 'peer_joined', peer_id: string, timestamp: string, total_peers: number }} PeerJoined
 * @typedef {{ type: 'peer_left', peer_id: string, timestamp: string, total_peers: number, reason?: LeaveReason }} PeerLeft
 * @typedef {{ type: 'peer_updated', peer_id: string, metadata: Record<string, unknown>, timestamp: string }} PeerUpdated
 * @typedef {{ type: 'peer_away' | 'peer_back', peer_id: string, timestamp: string }} PeerPresence
 * @typedef {{ type: 'webrtc_signal', from_peer_id: string, signal: unknown, timestamp: string }} WebrtcSignal
 * @typedef {{ type: 'broadcast_message', from_peer_id: string, data: unknown, timestamp: string, seq?: number, replayed?: boolean }} BroadcastMessage
 * @typedef {{ type: 'direct_message', from_peer_id: string, data: unknown, timestamp: string }} DirectMessage
 * @typedef {{ type: 'error', code: string, message: string, ref?: string }} ErrorMessage
 * @typedef {RoomState | PeerJoined | PeerLeft | PeerUpdated | PeerPresence | WebrtcSignal | BroadcastMessage | DirectMessage
 *   | ErrorMessage | { type: 'authenticated', expires_at: string } | { type: 'ice_servers', ice_servers: RTCIceServer[] } | { type: 'pong' } | { type: 'ack', ref: string }} ServerMessage
 */

/** @type {Record<string, Record<string, (value: unknown) => boolean>>} */
const FIELDS = {
  room_state: { peers: isStrings, your_peer_id: isString },
  peer_joined: { peer_id: isString, timestamp: isString, total_peers: isNumber },
  peer_left: { peer_id: isString, timestamp: isString, total_peers: isNumber },
  peer_updated: { peer_id: isString, metadata: isObject, timestamp: isString },
  peer_away: { peer_id: isString, timestamp: isString },
  peer_back: { peer_id: isString, timestamp: isString },
  webrtc_signal: { from_peer_id: isString, signal: isPresent, timestamp: isString },
  broadcast_message: { from_peer_id: isString, data: isPresent, timestamp: isString },
  direct_message: { from_peer_id: isString, data: isPresent, timestamp: isString },
  error: { code: isString, message: isString },
  authenticated: { expires_at: isString },
  ice_servers: { ice_servers: Array.isArray },
  pong: {},
  ack: { ref: isString },
};
const REASONS = ['left', 'lost', 'replaced', 'kicked', 'slow', 'expired', 'node_lost'];

/**
 * Reads one text frame of the server.
 * @param {string} text
 * @returns {ServerMessage | null} null for a type that this version does not know: to be ignored
 * @throws {SyntaxError | TypeError} when it is not JSON or lacks a field of its type
 */
export function parseServerMessage(text) {
  const message = JSON.parse(text);
  if (!isObject(message) || typeof message.type !== 'string') throw new TypeError('a message is an object with a type');
  const fields = Object.hasOwn(FIELDS, message.type) ? FIELDS[message.type] : undefined;
  if (!fields) return null;
  for (const [name, fits] of Object.entries(fields)) {
    if (!fits(message[name])) throw new TypeError(`${message.type} needs the field "${name}"`);
  }
  if (message.type === 'room_state' && !Array.isArray(message.ice_servers)) delete message.ice_servers;
  if (message.type === 'room_state' && !isObject(message.metadata)) delete message.metadata;
  if (message.type === 'peer_left' && message.reason !== undefined && !REASONS.includes(String(message.reason))) {
    message.reason = 'unknown';
  }
  return /** @type {ServerMessage} */ (/** @type {unknown} */ (message));
}

/**
 * Reads what another peer sent about its connection (`webrtc_signal.signal`).
 * @param {unknown} value
 * @returns {Signal | null} null when it is no signal that this version knows
 */
export function parseSignal(value) {
  if (!isObject(value)) return null;
  // A signal is not lost for a field that is not needed.
  const attempt = typeof value.attempt === 'string' ? value.attempt : null;
  const signal = /** @type {Signal} */ (/** @type {unknown} */ ({ ...value, attempt }));
  switch (value.type) {
    case 'offer':
      return isDescription(value.offer) ? signal : null;
    case 'answer':
      return isDescription(value.answer) ? signal : null;
    case 'ice_candidate':
      return /** @type {Signal} */ ({ ...signal, candidate: readCandidate(value.candidate) });
    default:
      return null;
  }
}

/**
 * The text of a message for the server.
 * @param {ClientMessage} message
 */
export function encode(message) {
  return JSON.stringify(message);
}

/**
 * The message that takes what a negotiator sends to its peer. Without an attempt it has no such field, as an old
 * client's.
 * @param {string} target
 * @param {import('./negotiator/io.js').Send} send
 * @returns {Signal}
 */
export function signalFor(target, send) {
  const to = { target_peer_id: target };
  if ('offer' in send) {
    return { type: 'offer', ...to, offer: { type: 'offer', sdp: send.offer.sdp }, ...named(send.offer.attempt) };
  }
  if ('answer' in send) {
    return { type: 'answer', ...to, answer: { type: 'answer', sdp: send.answer.sdp }, ...named(send.answer.attempt) };
  }
  if ('refusal' in send) {
    // To who does not know of refusals it is the end of the candidates, which ends nothing that could still work.
    const end = { candidate: '', sdpMLineIndex: 0 };
    return {
      type: 'ice_candidate',
      ...to,
      candidate: end,
      ...named(send.refusal.attempt),
      refused: send.refusal.message,
    };
  }
  const { candidate, attempt } = send.candidate;
  return { type: 'ice_candidate', ...to, candidate, ...named(attempt) };
}

/**
 * What such a message means to the negotiator of the peer that gets it.
 * @param {Signal} signal
 * @returns {import('./negotiator/io.js').Input}
 */
export function inputFrom(signal) {
  const attempt = signal.attempt ?? null;
  if (signal.type === 'offer') return { remote_offer: { sdp: signal.offer.sdp, attempt } };
  if (signal.type === 'answer') return { remote_answer: { sdp: signal.answer.sdp, attempt } };
  if (typeof signal.refused === 'string') return { remote_refusal: { message: signal.refused, attempt } };
  return { remote_candidate: { candidate: signal.candidate, attempt } };
}

/**
 * A candidate however it is written: what is not of the kind that it should be is as good as absent.
 * @param {unknown} value an object, null, or the bare text of one
 * @returns {Candidate | null}
 */
function readCandidate(value) {
  if (typeof value === 'string') return withStream({ candidate: value });
  if (!isObject(value)) return null;
  const { candidate, sdpMid, sdpMLineIndex, usernameFragment } = value;
  const index = sdpMLineIndex === null || sdpMLineIndex === '' ? NaN : Number(sdpMLineIndex);
  return withStream({
    candidate: isString(candidate) ? candidate : '',
    ...(isString(sdpMid) || isNumber(sdpMid) ? { sdpMid: String(sdpMid) } : {}),
    ...(Number.isInteger(index) && index >= 0 && index <= 0xffff ? { sdpMLineIndex: index } : {}),
    ...(isString(usernameFragment) ? { usernameFragment } : {}),
  });
}

/** @param {string | null} attempt */
function named(attempt) {
  return attempt === null ? {} : { attempt };
}

/** How many bytes this text has in UTF-8. @param {string} text */
export function byteLength(text) {
  return new TextEncoder().encode(text).length;
}

/** @param {unknown} value @returns {value is Record<string, unknown>} */
function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
/** @param {unknown} value */
function isDescription(value) {
  return isObject(value) && typeof value.sdp === 'string';
}
/** @param {unknown} value @returns {value is string} */
function isString(value) {
  return typeof value === 'string';
}
/** @param {unknown} value */
function isStrings(value) {
  return Array.isArray(value) && value.every(isString);
}
/** @param {unknown} value */
function isNumber(value) {
  return typeof value === 'number';
}
/** @param {unknown} value */
function isPresent(value) {
  return value !== undefined;
}
