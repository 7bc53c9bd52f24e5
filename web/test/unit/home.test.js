import assert from 'node:assert/strict';
import { test } from 'node:test';

import { HOME, roomUrl } from '../../js/home.js';

test('a room is below the server’s path, whatever stands at its end', () => {
  for (const [server, url] of [
    ['http://x:1', 'ws://x:1/ws/a%2Fb?peer_id=%C3%A9'],
    ['https://x/grtc', 'wss://x/grtc/ws/a%2Fb?peer_id=%C3%A9'],
    ['https://x/grtc/', 'wss://x/grtc/ws/a%2Fb?peer_id=%C3%A9'],
    ['ws://x/a/b?c=d#e', 'ws://x/a/b/ws/a%2Fb?peer_id=%C3%A9'],
  ]) {
    assert.equal(roomUrl(server, 'a/b', 'é'), url);
  }
  assert.equal(roomUrl('http://x', 'r', null), 'ws://x/ws/r');
  assert.equal(roomUrl(undefined, 'r', null), new URL('ws/r', HOME).href);
});
