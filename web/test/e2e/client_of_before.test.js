/**
 * A page written before this one: it names no attempts and makes a `chat` channel on both sides of a pair. It and this
 * page find each other, whoever comes first, and each message is shown once.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { connectedTo, inRoom, noNetwork, startApp } from './app.js';

/** What such a page does, in the least code. @param {{ url: string, id: string }} options */
function oldClient({ url, id }) {
  /** @type {{ heard: string[], channels: Record<string, RTCDataChannel>, peers: Record<string, RTCPeerConnection> }} */
  const state = { heard: [], channels: {}, peers: {} };
  Object.assign(window, { old: state });
  const socket = new WebSocket(`${url}/ws/room1?peer_id=${id}`);
  const send = (/** @type {object} */ message) => socket.send(JSON.stringify(message));
  const take = (/** @type {RTCDataChannel} */ channel, /** @type {string} */ peer) => {
    channel.onopen = () => (state.channels[peer] = channel);
    channel.onmessage = ({ data }) => state.heard.push(data);
  };
  const connect = (/** @type {string} */ peer) => {
    const pc = new RTCPeerConnection();
    state.peers[peer] = pc;
    pc.onicecandidate = ({ candidate }) => {
      if (candidate) send({ type: 'ice_candidate', target_peer_id: peer, candidate: candidate.toJSON() });
    };
    pc.ondatachannel = ({ channel }) => take(channel, peer);
    take(pc.createDataChannel('chat'), peer);
    return pc;
  };
  socket.onmessage = async ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === 'room_state') {
      for (const peer of message.peers) {
        const pc = connect(peer);
        const offer = await pc.createOffer();
        await pc.setLocalDescription(offer);
        send({ type: 'offer', target_peer_id: peer, offer: { type: offer.type, sdp: offer.sdp } });
      }
    }
    if (message.type !== 'webrtc_signal') return;
    const { from_peer_id: peer, signal } = message;
    if (signal.type === 'offer') {
      const pc = connect(peer);
      await pc.setRemoteDescription(signal.offer);
      const answer = await pc.createAnswer();
      await pc.setLocalDescription(answer);
      send({ type: 'answer', target_peer_id: peer, answer: { type: answer.type, sdp: answer.sdp } });
    } else if (signal.type === 'answer') await state.peers[peer]?.setRemoteDescription(signal.answer);
    // As that page does it: this throws when a candidate names no section, the last one too.
    else await state.peers[peer]?.addIceCandidate(new RTCIceCandidate(signal.candidate)).catch(() => {});
  };
}

test('a client of before', { skip: noNetwork }, async (t) => {
  const { server, tabs } = await startApp();
  const page = await inRoom(tabs, server.url, 'tab1');

  /** @param {string} id */
  const join = async (id) => {
    const old = await tabs.open(`${server.url}/?room=elsewhere`);
    await old.evaluate(oldClient, { url: server.url.replace('http', 'ws'), id });
    return old;
  };

  /** @param {import('./app.js').Page} old @param {import('./app.js').Page} tab @param {string} id @param {string} self */
  const talk = async (old, tab, id, self) => {
    await connectedTo(tab, id);
    await old.waitForFunction((peer) => /** @type {any} */ (window).old.channels[peer]?.readyState === 'open', self);
    await old.evaluate((peer) => /** @type {any} */ (window).old.channels[peer].send(`to ${peer}`), self);
    const message = tab.getByRole('article').filter({ hasText: `to ${self}` });
    await message.waitFor();
    assert.equal(await message.count(), 1);
    await tab.getByLabel('To', { exact: true }).selectOption(id);
    await tab.getByLabel('Message', { exact: true }).fill(`to ${id}`);
    await tab.getByRole('button', { name: 'Send' }).click();
    await old.waitForFunction((text) => /** @type {any} */ (window).old.heard.includes(text), `to ${id}`);
    const heard = await old.evaluate(() => /** @type {any} */ (window).old.heard);
    assert.deepEqual(heard, [`to ${id}`], 'once');
  };

  await t.test('comes second and offers', async () => talk(await join('old-a'), page, 'old-a', 'tab1'));

  await t.test('is there first and answers', async () => {
    const before = await join('old-b');
    await connectedTo(page, 'old-b');
    const second = await inRoom(tabs, server.url, 'tab2');
    await talk(before, second, 'old-b', 'tab2');
  });
  assert.deepEqual(tabs.faults, []);
});
