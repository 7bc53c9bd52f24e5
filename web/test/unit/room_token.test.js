import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Room } from '../../js/room.js';
import { FakeSocket } from './fake_socket.js';
import { token } from './tokens.js';

function enter() {
  const socket = new FakeSocket();
  /** @type {string[]} */
  const offered = [];
  const mine = token({ rooms: ['r'] });
  const webSocket = (/** @type {string} */ _, /** @type {string[]} */ protocols) => {
    offered.push(...protocols);
    return socket;
  };
  const room = new Room({ room: 'r', peerId: 'a', server: 'http://x', token: mine, webSocket });
  room.join();
  socket.accept();
  socket.say('{"type":"room_state","peers":[],"your_peer_id":"a"}');
  return { room, socket, offered, mine };
}

test('a room shows its token, and shows another one without leaving', async () => {
  const { room, socket, offered, mine } = enter();
  assert.deepEqual(offered, ['grtc', `grtc.token.${mine}`]);
  const newer = token({ rooms: ['r'] }, { exp: 9_000 });
  const good = room.authenticate(newer);
  assert.deepEqual(socket.messages, [{ type: 'auth', token: newer }]);
  socket.say('{"type":"authenticated","expires_at":"2026-01-02T03:04:05Z"}');
  assert.deepEqual(await good, new Date('2026-01-02T03:04:05Z'));
  assert.equal(room.status.state, 'joined');
  room.leave();
});

test('a token that is not taken is told twice: to who gave it, and to who listens', async () => {
  const { room, socket } = enter();
  /** @type {string[]} */
  const errors = [];
  room.on('error', ({ code }) => errors.push(code));
  const bad = room.authenticate(token({}, { sub: 'somebody else' }));
  socket.say('{"type":"error","code":"bad_token","message":"the token is for somebody else"}');
  await assert.rejects(bad, { code: 'bad_token', message: 'the token is for somebody else' });
  assert.deepEqual(errors, ['bad_token']);
  assert.equal(room.status.state, 'joined');
  room.leave();
});
