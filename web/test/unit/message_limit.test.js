import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CHANNEL_BYTES, messageLimit } from '../../js/message_limit.js';

const sdp = (/** @type {string} */ line) =>
  ['v=0', 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel', 'a=sctp-port:5000', line, 'a=mid:0', ''].join('\r\n');

test('a message is as large as the other side takes, as this side sends, and as the protocol allows', () => {
  for (const [line, stack, limit] of /** @type {[string, number | undefined, number][]} */ ([
    ['a=max-message-size:262144', 262_144, CHANNEL_BYTES],
    ['a=max-message-size:1073741823', 1_073_741_823, CHANNEL_BYTES],
    ['a=max-message-size:65536', 65_536, 65_536],
    ['a=max-message-size:16384', 262_144, 16_384],
    ['a=max-message-size:262144', 65_536, 65_536],
    ['a=max-message-size:0', Infinity, CHANNEL_BYTES],
    ['a=x:max-message-size:1', 65_536, 65_535],
    ['a=ice-lite', undefined, 65_535],
  ])) {
    assert.equal(messageLimit(sdp(line), stack), limit, line);
  }
});
