/** One connection, on a browser that is made up. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';

import { namesStreams, withStreams } from '../../js/description.js';
import { RtcConnection, STREAMS_HIGH } from '../../js/rtc.js';

const SECTION = 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\na=max-message-size:262144\r\n';
const PLAIN = `v=0\r\n${SECTION}`;
const STREAMS = withStreams('offer', PLAIN);
const ANSWER = withStreams('answer', PLAIN);

class FakeChannel extends EventTarget {
  readyState = 'connecting';
  bufferedAmount = 0;
  closed = false;
  /** @type {unknown[]} */
  sent = [];
  /** @type {((event: any) => void) | null} */
  onopen = null;
  /** @type {((event: any) => void) | null} */
  onmessage = null;

  /** @param {string} label @param {string} [protocol] */
  constructor(label, protocol = '') {
    super();
    this.label = label;
    this.protocol = protocol;
  }

  open() {
    this.readyState = 'open';
    this.onopen?.({});
  }

  /** @param {any} data */
  send(data) {
    this.sent.push(data);
    this.bufferedAmount += data.length;
  }

  close() {
    this.closed = true;
  }
}

class FakePc {
  /** @type {FakePc[]} */
  static made = [];
  connectionState = 'new';
  localDescription = { sdp: PLAIN };
  /** @type {FakeChannel[]} */
  channels = [];
  /** @type {((event: any) => void) | null} */
  ondatachannel = null;
  /** @type {((event: any) => void) | null} */
  onconnectionstatechange = null;

  constructor() {
    FakePc.made.push(this);
  }

  async setLocalDescription() {}
  async setRemoteDescription() {}
  close() {}

  /** @param {string} label @param {{ protocol?: string }} options */
  createDataChannel(label, { protocol }) {
    const channel = new FakeChannel(label, protocol);
    this.channels.push(channel);
    return channel;
  }

  /** @param {string} state */
  enter(state) {
    this.connectionState = state;
    this.onconnectionstatechange?.({});
  }
}

/** @type {unknown} */
let original;

beforeEach(() => {
  original = globalThis.RTCPeerConnection;
  Object.assign(globalThis, { RTCPeerConnection: FakePc });
});

afterEach(() => void Object.assign(globalThis, { RTCPeerConnection: original }));

/** @param {boolean} channel */
function connect(channel) {
  /** @type {string[]} */
  const seen = [];
  const note = (/** @type {string} */ name) => (/** @type {any} */ what) =>
    void seen.push(what ? `${name} ${what}` : name);
  const names = /** @type {const} */ (['open', 'message', 'linked', 'frames', 'writable', 'silent', 'heard', 'lost']);
  const events = /** @type {any} */ (Object.fromEntries(names.map((name) => [name, note(name)])));
  const connection = new RtcConnection({ iceServers: [], channel, events: { candidate: () => {}, ...events } });
  return { connection, seen, pc: /** @type {FakePc} */ (FakePc.made.at(-1)) };
}

test('a description says that this side has streams, in the section of the data channel', () => {
  assert.equal(STREAMS, `${PLAIN}a=grtc-streams:1\r\n`);
  assert.equal(ANSWER, `${PLAIN}a=grtc-streams-taken:1\r\n`);
  assert.ok(namesStreams('answer', ANSWER));
  // Some answer with every attribute of the offer.
  assert.ok(!namesStreams('answer', STREAMS));
  const media = 'm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:1\r\n';
  assert.equal(withStreams('offer', PLAIN + media), `${STREAMS}${media}`);
  for (const named of [STREAMS, STREAMS.replace(':1', ':3 1 2'), STREAMS.replaceAll('\r', '')])
    assert.ok(namesStreams('offer', named));
  const elsewhere = `v=0\r\n${media}a=grtc-streams:1\r\n${SECTION}`;
  for (const none of [PLAIN, STREAMS.replace(':1', ':2'), STREAMS.replace(':1', ':11'), elsewhere, ''])
    assert.ok(!namesStreams('offer', none));
});

test('who offers makes the channel for streams once both have said that they have them', async () => {
  const { connection, pc, seen } = connect(true);
  assert.equal(await connection.createOffer(), STREAMS);
  assert.deepEqual(
    pc.channels.map(({ label }) => label),
    ['chat'],
  );
  await connection.applyAnswer(ANSWER);
  await connection.applyAnswer(ANSWER);
  assert.deepEqual(
    pc.channels.map(({ label, protocol }) => [label, protocol]),
    [
      ['chat', ''],
      ['grtc', 'grtc.streams.1'],
    ],
  );
  assert.ok(connection.hasStreams && !connection.takesFrames);
  pc.channels[1]?.open();
  assert.deepEqual(seen, ['linked', 'writable']);
  assert.ok(connection.takesFrames);
});

test('that both have streams is known before any channel can be open', async () => {
  const { connection, pc } = connect(true);
  pc.setRemoteDescription = async () => {
    pc.channels[0]?.open();
    assert.ok(connection.hasStreams);
  };
  await connection.applyAnswer(ANSWER);
  assert.equal(pc.channels.length, 2);
});

test('to who has none it makes none, and takes none', async () => {
  const offering = connect(true);
  await offering.connection.applyAnswer(PLAIN);
  assert.equal(offering.pc.channels.length, 1);
  const answering = connect(false);
  assert.equal(await answering.connection.acceptOffer(PLAIN), ANSWER);
  const channels = [new FakeChannel('grtc', 'grtc.streams.1'), new FakeChannel('other')];
  for (const channel of channels) answering.pc.ondatachannel?.({ channel });
  assert.deepEqual(
    channels.map(({ closed }) => closed),
    [true, true],
  );
  const streams = connect(false);
  await streams.connection.acceptOffer(STREAMS);
  const [taken, another] = [new FakeChannel('grtc', 'grtc.streams.1'), new FakeChannel('grtc', 'grtc.streams.1')];
  for (const channel of [taken, another]) streams.pc.ondatachannel?.({ channel });
  assert.deepEqual([taken.closed, another.closed], [false, true]);
});

test('frames that are there before the word that the channel is open are not lost', async () => {
  const { connection, pc, seen } = connect(true);
  await connection.applyAnswer(ANSWER);
  pc.channels[1]?.onmessage?.({ data: Uint8Array.of(1).buffer });
  pc.channels[1]?.open();
  assert.deepEqual(seen, ['linked', 'frames 1', 'writable']);
});

test('no more frames are taken while much is buffered; what has left the buffers is progress', async () => {
  const { connection, pc } = connect(true);
  await connection.applyAnswer(ANSWER);
  const [chat, streams] = pc.channels;
  assert.ok(chat && streams);
  for (const channel of pc.channels) channel.open();
  assert.deepEqual(connection.progress, { acknowledged: 0, waiting: false });
  await connection.send('übel');
  connection.sendFrames(new Uint8Array(STREAMS_HIGH));
  assert.ok(!connection.takesFrames);
  [chat.bufferedAmount, streams.bufferedAmount] = [5, STREAMS_HIGH - 1];
  assert.deepEqual(connection.progress, { acknowledged: 1, waiting: true });
  assert.ok(connection.takesFrames);
});

test('how the path is, is told; what is closed says nothing', () => {
  const { connection, pc, seen } = connect(true);
  for (const state of ['connecting', 'connected', 'disconnected', 'connected', 'failed']) pc.enter(state);
  assert.deepEqual(seen, ['heard', 'silent', 'heard', 'lost no path to the peer']);
  connection.close();
  for (const state of ['disconnected', 'connected', 'failed']) pc.enter(state);
  assert.equal(seen.length, 4);
});
