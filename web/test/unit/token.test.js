import assert from 'node:assert/strict';
import { test } from 'node:test';

import { allowsRoom, isToken, readToken } from '../../js/token.js';
import { token } from './tokens.js';

test('reads who, until when and what', () => {
  const grtc = { rooms: ['team-1', 'ci-*'], peer_id: 'a', publish: false, items: 'read', list: true, admin: true };
  assert.deepEqual(readToken(token(grtc, { sub: 'Lucía' })), {
    sub: 'Lucía',
    from: 1_000_000,
    until: 4_600_000,
    grants: { rooms: ['team-1', 'ci-*'], peerId: 'a', publish: false, items: 'read', list: true, admin: true },
  });
});

test('what is absent, or of another kind, is not allowed; to publish is', () => {
  const nothing = { rooms: [], peerId: null, publish: true, items: null, list: false, admin: false };
  assert.deepEqual(readToken(token())?.grants, nothing);
  const strange = { rooms: 'team-1', peer_id: 7, items: 'all', list: 1, admin: 'true' };
  assert.deepEqual(readToken(token(strange))?.grants, nothing);
  for (const grtc of [null, [], 'admin', 7]) {
    assert.deepEqual(readToken(token(/** @type {any} */ (grtc)))?.grants, nothing, JSON.stringify(grtc));
  }
  assert.deepEqual(readToken(token({ rooms: ['a', 7, null] }))?.grants.rooms, ['a']);
});

test('times are whole numbers, or none', () => {
  for (const exp of ['9999999999', 1.5, Infinity, 2 ** 60, null, {}, undefined]) {
    assert.equal(readToken(token({}, { exp }))?.until, null, String(exp));
  }
});

test('other texts are no tokens: they could break out of a header', () => {
  const good = token();
  assert.ok(isToken(good));
  for (const text of ['', 'x', 'a.b', `${good}.x`, `${good} `, `${good}\r\nX: y`, `${good},grtc`, 'ä.b.c', null, 7]) {
    assert.ok(!isToken(text), JSON.stringify(text));
  }
  for (const text of ['a.b.c', `e30.${Buffer.from('[1]').toString('base64url')}.c`, 'e30._w.c', '']) {
    assert.equal(readToken(text), null, text);
  }
});

test('a final * makes a prefix, elsewhere it is a letter', () => {
  /** @param {string[]} rooms @param {string} room */
  const may = (rooms, room) => allowsRoom(/** @type {any} */ ({ rooms }), room);
  assert.ok(may(['team-1', 'ci-*'], 'team-1'));
  assert.ok(may(['ci-*'], 'ci-'));
  assert.ok(may(['ci-*'], 'ci-7'));
  assert.ok(may(['*'], 'anything'));
  assert.ok(!may(['ci-*'], 'ci'));
  assert.ok(!may(['team-1'], 'team-10'));
  assert.ok(!may(['c*i'], 'cabi'));
  assert.ok(!may([], ''));
});
