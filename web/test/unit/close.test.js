import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CLOSE_WORDS, closeWord, shouldReconnect } from '../../js/close.js';

test('comes back after the codes that say so, and no others', () => {
  const back = [...CLOSE_WORDS.keys()].filter(shouldReconnect);
  assert.deepEqual(back, [1001, 1011, 1012, 1013, 4008, 4029, 4408]);
});

test('comes back after a connection that ended without a code', () => {
  assert.ok(shouldReconnect(1006));
  assert.equal(closeWord(1006), 'lost');
});

test('an unknown code ends it', () => {
  assert.ok(!shouldReconnect(4999));
  assert.equal(closeWord(4999), 'unknown');
});
