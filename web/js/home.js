/** Where grtc-server is: two folders above this file, at the root of a host or below a path. */
export const HOME = new URL('../../', import.meta.url).href;

/**
 * The address of a room's WebSocket.
 * @param {string | undefined} server where it is, also below a path, with or without a slash at its end
 * @param {string} room
 * @param {string | null} peer null: the server makes a name
 * @param {Record<string, string>} [query] what else is asked for
 */
export function roomUrl(server, room, peer, query = {}) {
  const base = new URL(server ?? HOME);
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  const url = new URL(`ws/${encodeURIComponent(room)}`, base);
  url.protocol = url.protocol.replace('http', 'ws');
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  if (peer !== null) url.searchParams.set('peer_id', peer);
  return url.href;
}
