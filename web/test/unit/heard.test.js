import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Heard } from '../../js/heard.js';

/** @param {number} seq @param {boolean} replayed @param {string} from */
const broadcast = (seq, replayed = false, from = 'b') =>
  /** @type {const} */ ({ type: 'broadcast_message', from_peer_id: from, data: '', timestamp: '', seq, replayed });

test('a history is new once', () => {
  const heard = new Heard();
  heard.joined('e', 'a');
  for (const seq of [3, 4]) assert.ok(heard.isNew(broadcast(seq, true)));
  assert.ok(heard.isNew(broadcast(5)));
  heard.joined('e', 'a');
  assert.deepEqual(
    [4, 5, 6].map((seq) => heard.isNew(broadcast(seq, true))),
    [false, false, true],
  );
});

test('one’s own words are told once: to who was not there when they were said', () => {
  const heard = new Heard();
  heard.joined('e', 'a');
  assert.ok(heard.isNew(broadcast(3, true, 'a')), 'said before the page was loaded');
  heard.joined('e', 'a2');
  assert.equal(heard.isNew(broadcast(4, true, 'a')), false);
  assert.ok(heard.isNew(broadcast(5, true, 'a2')), 'of who had this name meanwhile');
});

test('another epoch counts anew', () => {
  const heard = new Heard();
  heard.joined('e', 'a');
  assert.ok(heard.isNew(broadcast(9)));
  heard.joined('f', 'a');
  assert.ok(heard.isNew(broadcast(1, true)));
  assert.ok(heard.isNew(broadcast(2, true, 'a')));
});

test('a server that does not number them tells none twice', () => {
  const heard = new Heard();
  heard.joined(undefined, 'a');
  const old = { ...broadcast(0), seq: undefined };
  assert.ok(heard.isNew(/** @type {any} */ (old)));
  heard.joined(undefined, 'a');
  assert.ok(heard.isNew(/** @type {any} */ (old)));
});
