/**
 * One RTCPeerConnection with its `chat` channel and, to a peer that has streams, the channel for those. The only file that
 * names the browser's WebRTC.
 */
import { namesStreams, withStreams } from './description.js';
import { messageLimit } from './message_limit.js';
import { byteLength } from './protocol.js';

export const CHANNEL = 'chat';
/** The channel for streams, which the side that offers makes once it has the answer. */
export const STREAMS_CHANNEL = 'grtc';
export const STREAMS_PROTOCOL = 'grtc.streams.1';
/** `send` waits while more than this is buffered. */
export const BUFFER_HIGH = 1024 * 1024;
const BUFFER_LOW = 256 * 1024;
/** No more of the streams is handed over while so much is buffered. */
export const STREAMS_HIGH = 256 * 1024;
const STREAMS_LOW = 64 * 1024;
/** Sends that may wait for the buffer at once. */
const SENDS_WAITING = 256;

/**
 * @typedef {import('./protocol.js').Candidate} Candidate
 * @typedef {object} ConnectionEvents
 * @property {(candidate: Candidate) => void} candidate one of this side; an empty one: there are no more
 * @property {() => unknown} open the `chat` channel is open
 * @property {(text: string) => unknown} message
 * @property {() => unknown} linked the channel for streams is open
 * @property {(bytes: Uint8Array) => unknown} frames
 * @property {() => unknown} writable it takes more frames again
 * @property {() => unknown} silent nothing has come for a while
 * @property {() => unknown} heard something has come again
 * @property {(reason: string) => unknown} lost said once
 */
/**
 * The path that a connection takes, and how long it takes there and back.
 * @typedef {{ local: string, remote: string, protocol: string, rttMs: number | null, bytesSent: number, bytesReceived: number }} PathStats
 */

export class RtcConnection {
  #pc;
  #events;
  /** @type {Set<RTCDataChannel>} */
  #channels = new Set();
  /** @type {RTCDataChannel | null} */
  #streams = null;
  #closed = false;
  #waiting = 0;
  /** The other side's description. */
  #remoteSdp = '';
  #hasStreams = false;
  /** Bytes that were handed over. */
  #handedOver = 0;
  /** @type {Promise<unknown>} */
  #lastSend = Promise.resolve();

  /**
   * @param {object} options
   * @param {RTCIceServer[]} options.iceServers
   * @param {boolean} options.channel this side makes the channel
   * @param {ConnectionEvents} options.events
   */
  constructor({ iceServers, channel, events }) {
    this.#events = events;
    this.#pc = new RTCPeerConnection({ iceServers });
    this.#pc.onicecandidate = ({ candidate }) => events.candidate(candidate?.toJSON() ?? this.#noMore());
    this.#pc.onconnectionstatechange = () => this.#stateChanged();
    // A client that makes a channel on both sides: either is taken.
    this.#pc.ondatachannel = (event) => this.#came(event.channel, channel);
    if (channel) this.#take(this.#pc.createDataChannel(CHANNEL, { ordered: true }));
  }

  /** @returns {Promise<string>} the SDP to send, already set */
  async createOffer() {
    await this.#pc.setLocalDescription();
    return withStreams('offer', this.#localSdp());
  }

  /** @param {string} sdp @returns {Promise<string>} the answer's SDP to send, already set */
  async acceptOffer(sdp) {
    await this.#pc.setRemoteDescription({ type: 'offer', sdp });
    this.#remoteSdp = sdp;
    this.#hasStreams = namesStreams('offer', sdp);
    await this.#pc.setLocalDescription();
    return withStreams('answer', this.#localSdp());
  }

  /** @param {string} sdp */
  async applyAnswer(sdp) {
    const first = this.#remoteSdp === '';
    // The channel may be open before the browser says that the answer is applied.
    if (first) [this.#remoteSdp, this.#hasStreams] = [sdp, namesStreams('answer', sdp)];
    await this.#pc.setRemoteDescription({ type: 'answer', sdp });
    this.#remoteSdp = sdp;
    if (!first || !this.hasStreams) return;
    this.#takeStreams(this.#pc.createDataChannel(STREAMS_CHANNEL, { ordered: true, protocol: STREAMS_PROTOCOL }));
  }

  /** Both sides have streams: messages go over them. Known once the other side's description is. */
  get hasStreams() {
    return this.#hasStreams;
  }

  /**
   * A candidate of the other side. One that the browser can't read is as good as none: others may do.
   * @param {Candidate | null} candidate
   */
  addCandidate(candidate) {
    const end = candidate === null || !candidate.candidate;
    this.#pc.addIceCandidate(end ? undefined : candidate).catch(() => {});
  }

  /**
   * Sends one message, after those before it; waits while the buffer is full.
   * @param {string} text
   */
  send(text) {
    if (this.#waiting >= SENDS_WAITING) return Promise.reject(new Error('too much is waiting to be sent'));
    this.#waiting += 1;
    const sent = this.#lastSend.then(() => this.#sendNow(text)).finally(() => (this.#waiting -= 1));
    this.#lastSend = sent.catch(() => {});
    return sent;
  }

  /** Whether the channel for streams takes frames now; `writable` says when it does again. */
  get takesFrames() {
    return this.#streams?.readyState === 'open' && this.#streams.bufferedAmount < STREAMS_HIGH;
  }

  /** @param {Uint8Array<ArrayBuffer>} bytes frames, while it takes some */
  sendFrames(bytes) {
    this.#streams?.send(bytes);
    this.#handedOver += bytes.length;
  }

  /** How much has left the buffers of all channels, and whether there is more in them. */
  get progress() {
    const buffered = this.#allChannels.reduce((sum, { bufferedAmount }) => sum + bufferedAmount, 0);
    return { acknowledged: this.#handedOver - buffered, waiting: buffered > 0 };
  }

  /** The largest message of the `chat` channel that both sides can do, in bytes. */
  get messageBytes() {
    return messageLimit(this.#remoteSdp, this.#pc.sctp?.maxMessageSize);
  }

  /** @returns {Promise<PathStats | null>} null while no path is chosen */
  async stats() {
    return pathStats(await this.#pc.getStats());
  }

  close() {
    this.#closed = true;
    for (const channel of this.#allChannels) channel.close();
    this.#pc.close();
  }

  get #allChannels() {
    return this.#streams ? [...this.#channels, this.#streams] : [...this.#channels];
  }

  /** The end of the gathering: who makes an `RTCIceCandidate` of it has to be told of which section. */
  #noMore() {
    return { candidate: '', sdpMid: /^a=mid:(\S+)/m.exec(this.#localSdp())?.[1] ?? null, sdpMLineIndex: 0 };
  }

  #localSdp() {
    return this.#pc.localDescription?.sdp ?? '';
  }

  /** A channel of the other side. @param {RTCDataChannel} channel @param {boolean} offering */
  #came(channel, offering) {
    const streams = channel.label === STREAMS_CHANNEL && channel.protocol === STREAMS_PROTOCOL;
    if (channel.label === CHANNEL) this.#take(channel);
    else if (streams && !offering && !this.#streams && this.hasStreams) this.#takeStreams(channel);
    else channel.close();
  }

  /** @param {RTCDataChannel} channel */
  #takeStreams(channel) {
    this.#streams = channel;
    channel.binaryType = 'arraybuffer';
    channel.bufferedAmountLowThreshold = STREAMS_LOW;
    let linked = false;
    // What the other side sent may be there before the word that this side's channel is open.
    const link = () => {
      if (!linked && !this.#closed) this.#events.linked();
      linked = true;
    };
    const writable = () => this.#closed || this.#events.writable();
    channel.onopen = () => {
      link();
      writable();
    };
    channel.onbufferedamountlow = writable;
    channel.onmessage = ({ data }) => {
      link();
      if (data instanceof ArrayBuffer) this.#events.frames(new Uint8Array(data));
    };
    channel.onclose = () => this.#lost('the data channel closed');
    if (channel.readyState === 'open') link();
  }

  /** @param {RTCDataChannel} channel */
  #take(channel) {
    channel.bufferedAmountLowThreshold = BUFFER_LOW;
    channel.onmessage = ({ data }) => typeof data === 'string' && this.#events.message(data);
    channel.onclose = () => this.#channelClosed(channel);
    channel.onopen = () => this.#channelOpen();
    this.#channels.add(channel);
    if (channel.readyState === 'open') this.#channelOpen();
  }

  #channelOpen() {
    if (!this.#closed) this.#events.open();
  }

  /** @param {RTCDataChannel} channel */
  #channelClosed(channel) {
    this.#channels.delete(channel);
    if (this.#channels.size === 0) this.#lost('the data channel closed');
  }

  #stateChanged() {
    const state = this.#pc.connectionState;
    if (state === 'failed') this.#lost('no path to the peer');
    else if (state === 'disconnected' && !this.#closed) this.#events.silent();
    else if (state === 'connected' && !this.#closed) this.#events.heard();
  }

  /** @param {string} reason */
  #lost(reason) {
    if (this.#closed) return;
    this.#closed = true;
    this.#events.lost(reason);
  }

  /** @param {string} text */
  async #sendNow(text) {
    const channel = this.#openChannel();
    if (channel.bufferedAmount > BUFFER_HIGH) {
      await new Promise((resolve) => {
        for (const event of ['bufferedamountlow', 'close']) channel.addEventListener(event, resolve, { once: true });
      });
    }
    this.#openChannel().send(text);
    this.#handedOver += byteLength(text);
  }

  #openChannel() {
    const channel = [...this.#channels].find(({ readyState }) => readyState === 'open');
    if (!channel) throw new Error('the data channel is not open');
    return channel;
  }
}

/**
 * The chosen path out of a report, in the words of every browser.
 * @param {RTCStatsReport} report
 * @returns {PathStats | null}
 */
export function pathStats(report) {
  const all = new Map(report.entries());
  const entries = [...all.values()];
  const transport = entries.find(({ type }) => type === 'transport');
  const pair =
    all.get(transport?.selectedCandidatePairId) ??
    entries.find(({ type, nominated, state }) => type === 'candidate-pair' && nominated && state === 'succeeded');
  if (!pair) return null;
  const [local, remote] = [all.get(pair.localCandidateId), all.get(pair.remoteCandidateId)];
  const seconds = pair.currentRoundTripTime;
  return {
    local: local?.candidateType ?? 'unknown',
    remote: remote?.candidateType ?? 'unknown',
    protocol: local?.relayProtocol ?? local?.protocol ?? 'unknown',
    rttMs: typeof seconds === 'number' ? seconds * 1000 : null,
    bytesSent: pair.bytesSent ?? 0,
    bytesReceived: pair.bytesReceived ?? 0,
  };
}
