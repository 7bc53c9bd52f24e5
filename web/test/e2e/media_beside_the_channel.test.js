/** A page that offers audio and video beside its data channel: a native peer takes the channel, by any bundle policy. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { noNetwork, noPeer, startApp } from './app.js';
import { NativePeer } from './native_peer.js';

/**
 * Offers to a peer, and gives the first message that comes of it.
 * @param {{ url: string, peer: string, bundlePolicy: RTCBundlePolicy }} options
 * @returns {Promise<string>}
 */
function firstMessage({ url, peer, bundlePolicy }) {
  return new Promise((resolve, reject) => {
    const pc = new RTCPeerConnection({ bundlePolicy });
    pc.addTransceiver('audio');
    pc.addTransceiver('video');
    const channel = pc.createDataChannel('chat');
    const socket = new WebSocket(`${url}/ws/room1?peer_id=page`);
    const send = (/** @type {object} */ signal) => socket.send(JSON.stringify({ target_peer_id: peer, ...signal }));
    let answered = Promise.resolve();
    pc.onicecandidate = ({ candidate }) => candidate && send({ type: 'ice_candidate', candidate });
    channel.onopen = () => channel.send(bundlePolicy);
    channel.onmessage = ({ data }) => {
      resolve(data);
      pc.close();
      socket.close();
    };
    socket.onopen = async () => {
      await pc.setLocalDescription();
      send({ type: 'offer', offer: pc.localDescription });
    };
    socket.onmessage = ({ data }) => {
      const { signal } = JSON.parse(data);
      if (signal?.type === 'answer') answered = pc.setRemoteDescription(signal.answer);
      else if (signal?.candidate) answered = answered.then(() => pc.addIceCandidate(signal.candidate));
      answered.catch(reject);
    };
  });
}

test('media beside the channel', { skip: noNetwork || noPeer }, async (t) => {
  const { server, tabs } = await startApp();
  const page = await tabs.open(`${server.url}/?room=elsewhere`);
  const peer = new NativePeer(server.address, 'native');
  t.after(() => peer.process.kill('SIGKILL'));
  await peer.event(({ event }) => event === 'joined');
  const url = server.url.replace('http', 'ws');
  for (const bundlePolicy of /** @type {const} */ (['balanced', 'max-bundle', 'max-compat'])) {
    await t.test(bundlePolicy, async () => {
      const heard = page.evaluate(firstMessage, { url, peer: 'native', bundlePolicy });
      await peer.event(({ event, text }) => event === 'message' && text === bundlePolicy);
      peer.say('hello');
      assert.equal(await heard, 'hello');
      await peer.event(({ event }) => event === 'peer_left');
      peer.events.length = 0;
    });
  }
  await peer.leave();
});
