/**
 * What a token says: its claims, read without a look at the signature, which is the server's business. Good for showing
 * them, and for not asking for what would be refused.
 */

/**
 * @typedef {object} Grants what is absent from a token is not allowed
 * @property {string[]} rooms names; one that ends with `*` stands for all that begin like it
 * @property {string | null} peerId the only one that may be used
 * @property {boolean} publish whether it may say something through the server
 * @property {'read' | 'write' | null} items
 * @property {boolean} list
 * @property {boolean} admin
 *
 * @typedef {object} Claims
 * @property {string} sub who
 * @property {number | null} from when it was made, in milliseconds since 1970
 * @property {number | null} until when it ends
 * @property {Grants} grants
 */

/** Why a server that asks for tokens refuses: its words for it. */
export const REFUSALS = ['not_authenticated', 'token_invalid', 'token_expired', 'not_allowed'];

/** As a JWT is written (RFC 7515, section 7.1). No other text goes into a header or a subprotocol. */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** Whether this can be a token at all. @param {unknown} text @returns {text is string} */
export function isToken(text) {
  return typeof text === 'string' && COMPACT.test(text);
}

/** @param {string} text @returns {Claims | null} null when it says nothing that can be read */
export function readToken(text) {
  const payload = isToken(text) ? parse(text.split('.')[1] ?? '') : null;
  if (payload === null) return null;
  const { sub, exp, iat, grtc } = payload;
  return {
    sub: typeof sub === 'string' ? sub : '',
    from: moment(iat),
    until: moment(exp),
    grants: grantsIn(isObject(grtc) ? grtc : {}),
  };
}

/** @param {Grants} grants @param {string} room */
export function allowsRoom({ rooms }, room) {
  return rooms.some((entry) => (entry.endsWith('*') ? room.startsWith(entry.slice(0, -1)) : entry === room));
}

/** @param {Record<string, unknown>} grtc @returns {Grants} */
function grantsIn({ rooms, peer_id: peerId, publish, items, list, admin }) {
  return {
    rooms: Array.isArray(rooms) ? rooms.filter((room) => typeof room === 'string') : [],
    peerId: typeof peerId === 'string' ? peerId : null,
    publish: publish !== false,
    items: items === 'read' || items === 'write' ? items : null,
    list: list === true,
    admin: admin === true,
  };
}

/** @param {unknown} seconds */
function moment(seconds) {
  return typeof seconds === 'number' && Number.isSafeInteger(seconds) ? seconds * 1_000 : null;
}

/** @param {string} part base64url @returns {Record<string, unknown> | null} */
function parse(part) {
  try {
    const bytes = Uint8Array.from(atob(part.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
    const value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** @param {unknown} value @returns {value is Record<string, unknown>} */
function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
