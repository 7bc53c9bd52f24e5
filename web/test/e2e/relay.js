/** What stands between a browser and a server, and can misbehave. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/**
 * `silent` lets nothing through, `mute` no answers, and both leave the connections as they are; `down` has none. `streams`
 * counts the streams of events.
 * @param {import('./app.js').Server} server
 */
export async function relay(server) {
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set();
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const state = { silent: false, mute: false, down: false, streams: 0, url: '', cut, close: () => {} };
  const listener = createServer((near) => {
    if (state.down) return void near.destroy();
    const [host, port] = server.address.split(':');
    const far = connect(Number(port), host);
    for (const [from, to] of /** @type {const} */ ([
      [near, far],
      [far, near],
    ])) {
      sockets.add(from);
      from.on('data', (data) => {
        if (from === near && data.includes('GET /api/items/events')) state.streams += 1;
        if (!state.silent && !(state.mute && from === far)) to.write(data);
      });
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  state.url = `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (listener.address()).port}`;
  state.close = () => {
    listener.close();
    cut();
  };
  return state;
}
