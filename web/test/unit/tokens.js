/** Tokens for tests: as the server makes them, signed by nobody. */

/** @param {unknown} value */
const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/**
 * @param {Record<string, unknown>} [grtc] what it may do
 * @param {Record<string, unknown>} [claims]
 */
export function token(grtc = {}, claims = {}) {
  const body = { sub: 'ana', aud: 'grtc', iat: 1_000, exp: 4_600, grtc, ...claims };
  return `${part({ alg: 'HS256', typ: 'JWT' })}.${part(body)}.c2ln`;
}
