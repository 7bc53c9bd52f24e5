import assert from 'node:assert/strict';
import { test } from 'node:test';

import { byteLength, encode, inputFrom, parseServerMessage, parseSignal, signalFor } from '../../js/protocol.js';

const at = { timestamp: '2026-01-01T00:00:00Z' };

test('reads every message of the server', () => {
  for (const message of [
    { type: 'room_state', peers: ['b'], your_peer_id: 'a', ice_servers: [] },
    { type: 'peer_joined', peer_id: 'c', ...at, total_peers: 3 },
    { type: 'peer_left', peer_id: 'c', ...at, total_peers: 2, reason: 'lost' },
    { type: 'webrtc_signal', from_peer_id: 'b', signal: { x: 1 }, ...at },
    { type: 'broadcast_message', from_peer_id: 'b', data: null, ...at, seq: 7 },
    { type: 'direct_message', from_peer_id: 'b', data: [1], ...at },
    { type: 'error', code: 'bad_json', message: 'no', ref: 'm1' },
    { type: 'authenticated', expires_at: '2026-01-02T03:04:05Z' },
    { type: 'pong' },
    { type: 'ack', ref: 'm1' },
  ]) {
    assert.deepEqual(parseServerMessage(JSON.stringify(message)), message);
  }
});

test('ignores what it does not know', () => {
  assert.equal(parseServerMessage('{"type":"later","x":1}'), null);
  assert.equal(parseServerMessage('{"type":"constructor"}'), null);
  const left = { type: 'peer_left', peer_id: 'a', ...at, total_peers: 0, reason: 'bored', x: 1 };
  assert.deepEqual(parseServerMessage(JSON.stringify(left)), { ...left, reason: 'unknown' });
  const state = parseServerMessage('{"type":"room_state","peers":[],"your_peer_id":"a","ice_servers":"none"}');
  assert.deepEqual(state, { type: 'room_state', peers: [], your_peer_id: 'a' });
});

test('refuses what lacks a field', () => {
  for (const text of ['', '[]', '{}', '{"type":7}', '{"type":"room_state","peers":"b","your_peer_id":"a"}']) {
    assert.throws(() => parseServerMessage(text), Error, text);
  }
});

test('reads what a peer sends, and ignores what is no signal', () => {
  const offer = { type: 'offer', target_peer_id: 'b', offer: { type: 'offer', sdp: 'v=0' }, attempt: 's-1', x: 1 };
  assert.deepEqual(parseSignal(offer), offer);
  const end = { type: 'ice_candidate', candidate: null, attempt: null };
  for (const candidate of [null, undefined, false, 7, []]) {
    assert.deepEqual(parseSignal({ type: 'ice_candidate', candidate }), end);
  }
  for (const value of [null, 'x', [], {}, { type: 'offer' }, { ...offer, offer: {} }, { ...offer, offer: null }]) {
    assert.equal(parseSignal(value), null, JSON.stringify(value));
  }
  assert.deepEqual(parseSignal({ ...offer, attempt: 7 }), { ...offer, attempt: null });
});

test('a candidate is read however it is written', () => {
  const candidate = (/** @type {unknown} */ written) => {
    const signal = parseSignal({ type: 'ice_candidate', target_peer_id: 'b', candidate: written });
    return signal?.type === 'ice_candidate' ? signal.candidate : undefined;
  };
  const whole = { candidate: 'candidate:1', sdpMid: '0', sdpMLineIndex: 0, usernameFragment: 'u' };
  assert.deepEqual(candidate(whole), whole);
  assert.deepEqual(candidate({ ...whole, sdpMid: 0, sdpMLineIndex: '0', foundation: '1' }), whole);
  const bare = { candidate: 'candidate:1', sdpMLineIndex: 0 };
  assert.deepEqual(candidate('candidate:1'), bare);
  assert.deepEqual(
    candidate({ candidate: 'candidate:1', sdpMid: null, sdpMLineIndex: null, usernameFragment: 7 }),
    bare,
  );
  assert.deepEqual(candidate({ candidate: 'candidate:1', sdpMid: [], sdpMLineIndex: -1 }), bare);
  assert.deepEqual(candidate({ candidate: null }), { candidate: '', sdpMLineIndex: 0 });
});

test('a signal arrives as what was sent', () => {
  for (const [send, input] of /** @type {const} */ ([
    [{ offer: { sdp: 'o', attempt: 's-1' } }, { remote_offer: { sdp: 'o', attempt: 's-1' } }],
    [{ answer: { sdp: 'a', attempt: null } }, { remote_answer: { sdp: 'a', attempt: null } }],
    [
      { candidate: { candidate: { candidate: '', sdpMLineIndex: 0 }, attempt: 's' } },
      { remote_candidate: { candidate: { candidate: '', sdpMLineIndex: 0 }, attempt: 's' } },
    ],
    [{ refusal: { message: 'why', attempt: 's' } }, { remote_refusal: { message: 'why', attempt: 's' } }],
  ])) {
    const signal = parseSignal(JSON.parse(encode(signalFor('b', send))));
    assert.ok(signal);
    assert.equal(signal.target_peer_id, 'b');
    assert.deepEqual(inputFrom(signal), input);
  }
});

test('without an attempt there is no such field, and data stays as it is', () => {
  assert.equal(
    encode(signalFor('b', { answer: { sdp: 's', attempt: null } })),
    '{"type":"answer","target_peer_id":"b","answer":{"type":"answer","sdp":"s"}}',
  );
  assert.equal(encode({ type: 'broadcast', data: { attempt: null } }), '{"type":"broadcast","data":{"attempt":null}}');
});

test('counts bytes of UTF-8', () => assert.equal(byteLength('é👩'), 6));
