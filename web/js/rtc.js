/** One RTCPeerConnection with its `chat` channel. The only file that names the browser's WebRTC. */
import { messageLimit } from './message_limit.js';

export const CHANNEL = 'chat';
/** `send` waits while more than this is buffered. */
export const BUFFER_HIGH = 1024 * 1024;
const BUFFER_LOW = 256 * 1024;
/** Sends that may wait for the buffer at once. */
const SENDS_WAITING = 256;
/** So long a connection may be "disconnected" before it counts as lost. */
export const DISCONNECTED_MS = 5_000;

/**
 * @typedef {import('./protocol.js').Candidate} Candidate
 * @typedef {object} ConnectionEvents
 * @property {(candidate: Candidate) => void} candidate one of this side; an empty one: there are no more
 * @property {() => void} open the channel is open
 * @property {(text: string) => void} message
 * @property {(reason: string) => void} lost said once
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
  #closed = false;
  #waiting = 0;
  /** The other side's description. */
  #remoteSdp = '';
  /** @type {Promise<unknown>} */
  #lastSend = Promise.resolve();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #disconnectedTimer;

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
    this.#pc.ondatachannel = (event) => this.#take(event.channel);
    if (channel) this.#take(this.#pc.createDataChannel(CHANNEL, { ordered: true }));
  }

  /** @returns {Promise<string>} the SDP, already set */
  async createOffer() {
    await this.#pc.setLocalDescription();
    return this.#localSdp();
  }

  /** @param {string} sdp @returns {Promise<string>} the answer's SDP, already set */
  async acceptOffer(sdp) {
    await this.#pc.setRemoteDescription({ type: 'offer', sdp });
    this.#remoteSdp = sdp;
    await this.#pc.setLocalDescription();
    return this.#localSdp();
  }

  /** @param {string} sdp */
  async applyAnswer(sdp) {
    await this.#pc.setRemoteDescription({ type: 'answer', sdp });
    this.#remoteSdp = sdp;
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

  /** The largest message that both sides can do, in bytes. */
  get messageBytes() {
    return messageLimit(this.#remoteSdp, this.#pc.sctp?.maxMessageSize);
  }

  /** @returns {Promise<PathStats | null>} null while no path is chosen */
  async stats() {
    return pathStats(await this.#pc.getStats());
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#disconnectedTimer);
    for (const channel of this.#channels) channel.close();
    this.#pc.close();
  }

  /** The end of the gathering: who makes an `RTCIceCandidate` of it has to be told of which section. */
  #noMore() {
    return { candidate: '', sdpMid: /^a=mid:(\S+)/m.exec(this.#localSdp())?.[1] ?? null, sdpMLineIndex: 0 };
  }

  #localSdp() {
    return this.#pc.localDescription?.sdp ?? '';
  }

  /** @param {RTCDataChannel} channel */
  #take(channel) {
    if (channel.label !== CHANNEL) return channel.close();
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
    clearTimeout(this.#disconnectedTimer);
    if (state === 'failed') this.#lost('no path to the peer');
    if (state === 'disconnected') {
      this.#disconnectedTimer = setTimeout(() => this.#lost('the path to the peer is gone'), DISCONNECTED_MS);
    }
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
