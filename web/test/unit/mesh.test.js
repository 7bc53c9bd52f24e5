import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ABSENT_GRACE_MS, Mesh } from '../../js/mesh.js';

const start = (/** @type {string} */ peer, /** @type {boolean} */ initiator) => ({ start: { peer, initiator } });

test('the newcomer offers to everybody, those who were there wait', () => {
  const mesh = new Mesh();
  assert.deepEqual(mesh.roomState(['b', 'c'], 0), [start('b', true), start('c', true)]);
  assert.deepEqual(mesh.peerJoined('d'), [start('d', false)]);
});

test('after a return open channels stay, the others are offered to, and those who are gone are closed', () => {
  const mesh = new Mesh();
  mesh.roomState(['open', 'connecting', 'gone'], 0);
  mesh.opened('open');
  assert.deepEqual(mesh.roomState(['open', 'connecting', 'new'], 10), [
    { close: { peer: 'gone', reason: 'lost' } },
    start('connecting', true),
    start('new', true),
  ]);
});

test('a peer with an open channel that joins again changes nothing until it offers', () => {
  const mesh = new Mesh();
  mesh.peerJoined('b');
  mesh.opened('b');
  assert.deepEqual(mesh.peerJoined('b'), []);
});

test('a peer without an open channel that joins again begins anew', () => {
  const mesh = new Mesh();
  mesh.roomState(['b'], 0);
  assert.deepEqual(mesh.peerJoined('b'), [start('b', false)]);
});

test('a restarted server knows nobody: open channels go on until the others are back', () => {
  const mesh = new Mesh();
  mesh.roomState(['b'], 0);
  mesh.opened('b');
  assert.deepEqual(mesh.roomState([], 1_000), [{ away: { peer: 'b', reason: 'lost' } }]);
  assert.equal(mesh.timeout(), 1_000 + ABSENT_GRACE_MS);
  assert.deepEqual(mesh.peerJoined('b'), [{ back: { peer: 'b' } }]);
  assert.equal(mesh.timeout(), null);
});

test('a lost peer is away while its channel is open, and gone with it', () => {
  const mesh = new Mesh();
  mesh.peerJoined('b');
  mesh.opened('b');
  assert.deepEqual(mesh.peerLeft('b', 0, 'lost'), [{ away: { peer: 'b', reason: 'lost' } }]);
  assert.deepEqual(mesh.peerLeft('b', 1, 'lost'), [], 'said twice');
  assert.deepEqual(mesh.lost('b'), [{ close: { peer: 'b', reason: 'lost' } }]);
});

test('nobody is away for ever', () => {
  const mesh = new Mesh();
  mesh.peerJoined('b');
  mesh.opened('b');
  mesh.peerLeft('b', 0, 'node_lost');
  assert.deepEqual(mesh.tick(ABSENT_GRACE_MS - 1), []);
  assert.deepEqual(mesh.tick(ABSENT_GRACE_MS), [{ close: { peer: 'b', reason: 'expired' } }]);
});

test('a peer that left is closed, open or not', () => {
  for (const open of [true, false]) {
    const mesh = new Mesh();
    mesh.peerJoined('b');
    if (open) mesh.opened('b');
    assert.deepEqual(mesh.peerLeft('b', 0, 'left'), [{ close: { peer: 'b', reason: 'left' } }]);
    assert.deepEqual(mesh.peerLeft('b', 0, 'left'), []);
  }
});

test('a lost peer without an open channel is closed', () => {
  const mesh = new Mesh();
  mesh.peerJoined('b');
  assert.deepEqual(mesh.peerLeft('b', 0, 'lost'), [{ close: { peer: 'b', reason: 'lost' } }]);
});
