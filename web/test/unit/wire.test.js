/** The golden messages that the Rust tests read as well. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { encode, inputFrom, parseServerMessage, parseSignal, signalFor } from '../../js/protocol.js';

/** @param {string} name @returns {any[]} */
function golden(name) {
  return JSON.parse(readFileSync(new URL(`../../../protocol/fixtures/wire/${name}.json`, import.meta.url), 'utf8'));
}

for (const { name, type, frame } of golden('server_messages')) {
  test(`reads ${name}`, () => {
    const message = parseServerMessage(frame);
    assert.equal(message?.type, type);
    assert.deepEqual(message, JSON.parse(frame));
  });
}

const client = new Map(golden('client_messages').map((message) => [message.name, message]));

test('writes what the server reads, to the letter', () => {
  const candidate = { candidate: 'candidate:1 1 udp 1 192.0.2.1 9 typ host', sdpMid: '0', sdpMLineIndex: 0 };
  for (const [name, message] of /** @type {const} */ ([
    ['offer', signalFor('b', { offer: { sdp: 'v=0\r\n', attempt: null } })],
    ['answer with an attempt', signalFor('b', { answer: { sdp: 'v=0\r\n', attempt: 's-1' } })],
    ['candidate', signalFor('b', { candidate: { candidate, attempt: null } })],
    [
      'end of candidates',
      signalFor('b', { candidate: { candidate: { candidate: '', sdpMLineIndex: 0 }, attempt: null } }),
    ],
    ['refusal', signalFor('b', { refusal: { message: 'no fingerprint', attempt: 's-1' } })],
    ['broadcast', { type: 'broadcast', data: { text: 'hello' } }],
    ['broadcast of null', { type: 'broadcast', data: null }],
    ['message', { type: 'message', target_peer_id: 'b', data: 1, id: 'm1' }],
    ['metadata', { type: 'metadata', metadata: { name: 'Ann', color: '#0a0' }, id: 'm3' }],
    ['report of a failure, without its stage', { type: 'report', peer_id: 'b', result: 'failed' }],
    ['leave', { type: 'leave' }],
  ])) {
    assert.equal(encode(message), client.get(name)?.frame, name);
  }
});

test('reads the signals of other peers', () => {
  for (const name of [
    'offer',
    'answer with an attempt',
    'candidate',
    'end of candidates',
    'end of candidates, null',
    'refusal',
  ]) {
    const signal = parseSignal(JSON.parse(client.get(name)?.frame));
    assert.ok(signal && inputFrom(signal), name);
  }
});
