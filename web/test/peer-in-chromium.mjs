/**
 * A peer in Chromium that is used like `grtc-peer join --json`: each line of stdin is sent to everybody, and what happens is
 * a line of JSON on stdout. `node peer-in-chromium.mjs http://10.0.0.1:8001 room1 tab1`
 */
import { createInterface } from 'node:readline';

import { Tabs } from './e2e/app.js';

const [url = '', room = '', id = ''] = process.argv.slice(2);

/** @param {object} event */
const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);

const tabs = await Tabs.launch();
// The page itself stays out of the room: what is wanted of it is its origin.
const page = await tabs.open(url);
page.on('console', (message) => process.stderr.write(`${message.text()}\n`));
await page.exposeFunction('say', say);
await page.evaluate(
  async ([url, name, peerId]) => {
    const tell = /** @type {any} */ (window).say;
    const { Room } = await import(`${url}/static/js/grtc.js`);
    const room = new Room({ server: url, room: name, peerId });
    /** While there is nobody who takes a text, it waits. @type {string[]} */
    const waiting = [];
    let connected = false;
    const send = () => {
      if (!room.peers.some((/** @type {any} */ { messageBytes }) => messageBytes > 0)) return;
      for (const text of waiting.splice(0)) {
        room.send(text).catch((/** @type {any} */ { code }) => tell({ event: 'error', code, text }));
      }
    };
    room.on('status', (/** @type {any} */ status) => tell({ event: status.state }));
    room.on('error', (/** @type {any} */ { code, message }) => tell({ event: 'error', code, message }));
    room.on('message', (/** @type {any} */ { from, text, via }) => tell({ event: 'message', from, text, via }));
    room.on('peer', (/** @type {any} */ { peer, change }) => {
      const isOpen = ['connected', 'open'].includes(peer.state);
      if (isOpen && !connected) tell({ event: 'connected', peer_id: peer.id });
      connected ||= isOpen;
      tell({ event: 'peer', peer_id: peer.id, change, state: peer.state });
      send();
    });
    Object.assign(window, {
      type: (/** @type {string} */ text) => {
        waiting.push(text);
        send();
      },
    });
    room.join();
  },
  [url, room, id],
);
for await (const line of createInterface({ input: process.stdin })) {
  await page.evaluate((text) => /** @type {any} */ (window).type(text), line);
}
await tabs.close();
