/**
 * Another WebRTC stack as a peer of docs/PROTOCOL.md: `node peer.mjs STACK --server URL --room R --id ID [--lines N]
 * [--restart]`. It opens a channel to one other peer, says N lines ("ID 1" …), reads N lines, and ends with 0.
 *
 * With `--restart` it makes an ICE restart after half of its lines, as an offer under the attempt of the open connection.
 */
import { parseArgs } from 'node:util';

import { Pair } from './pair.mjs';
import { loadStack } from './stacks.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    server: { type: 'string', default: 'ws://127.0.0.1:8001' },
    room: { type: 'string', default: 'interop' },
    id: { type: 'string', default: 'other' },
    lines: { type: 'string', default: '4' },
    restart: { type: 'boolean', default: false },
  },
});
const stack = await loadStack(positionals[0]);
const { WebSocket } = await import('ws');

const link = new WebSocket(`${values.server}/ws/${values.room}?peer_id=${values.id}`);
/** @type {Map<string, Pair>} */
const pairs = new Map();

function pair(peer) {
  const send = (signal) => link.send(JSON.stringify({ ...signal, target_peer_id: peer }));
  if (!pairs.has(peer)) pairs.set(peer, new Pair({ ...values, lines: Number(values.lines), stack, peer, send, done }));
  return pairs.get(peer);
}

let heardAll = false;
function done() {
  heardAll = true;
}

link.on('message', (text) => {
  const frame = JSON.parse(text);
  if (frame.type === 'room_state') for (const peer of frame.peers) void pair(peer).offer();
  // The other side leaves once it has heard all and all that it said is delivered.
  if (frame.type === 'peer_left') process.exit(heardAll ? 0 : 1);
  if (frame.type === 'webrtc_signal') void pair(frame.from_peer_id).signal(frame.signal);
});
link.on('error', (error) => {
  console.error(String(error));
  process.exit(1);
});
