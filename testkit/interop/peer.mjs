/**
 * Another WebRTC stack as a peer of docs/PROTOCOL.md: `node peer.mjs STACK --server URL --room R --id ID [--lines N]
 * [--again offer|restart]`. It opens a channel to one other peer, says N lines ("ID 1" …), reads N lines, and ends with 0
 * once the other one has left.
 *
 * With `--again` it makes a second offer under the attempt of the open connection, after a third of its lines: an offer
 * that changes nothing, or an ICE restart.
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
    lines: { type: 'string', default: '6' },
    again: { type: 'string', default: 'no' },
  },
});
const stack = await loadStack(positionals[0]);
const { WebSocket } = await import('ws');

const link = new WebSocket(`${values.server}/ws/${values.room}?peer_id=${values.id}`);
/** @type {Map<string, Pair>} */
const pairs = new Map();

function pair(peer) {
  const send = (signal) => link.send(JSON.stringify({ ...signal, target_peer_id: peer }));
  const done = () => ended('heard');
  if (!pairs.has(peer)) pairs.set(peer, new Pair({ ...values, lines: Number(values.lines), stack, peer, send, done }));
  return pairs.get(peer);
}

/** The other side leaves once it has heard all and all that it said is delivered, which this side may hear of first. */
const missing = new Set(['heard', 'left']);
function ended(what) {
  missing.delete(what);
  if (missing.size === 0) process.exit(0);
}

link.on('message', (text) => {
  const frame = JSON.parse(text);
  if (frame.type === 'room_state') {
    console.log('joined');
    for (const peer of frame.peers) void pair(peer).offer();
  }
  if (frame.type === 'peer_left') ended('left');
  if (frame.type === 'webrtc_signal') void pair(frame.from_peer_id).signal(frame.signal);
});
link.on('error', (error) => {
  console.error(String(error));
  process.exit(1);
});
