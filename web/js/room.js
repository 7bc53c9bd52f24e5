/**
 * A room: the peers in it, a data channel to each of them, and the server for finding each other.
 *
 * @example
 * const room = new Room({ room: 'room1', peerId: 'tab1' });
 * room.on('message', ({ from, text }) => console.log(from, text));
 * room.on('peer', ({ peer }) => console.log(peer.id, peer.state));
 * room.join();
 */
import { Emitter } from './emitter.js';
import { RoomError, checkSize } from './room_error.js';
import { Session } from './session.js';
import { roomUrl } from './home.js';
import { Mesh } from './mesh.js';
import { Pairs } from './pairs.js';
import { MESSAGE_BYTES, encode, parseName, parseServerMessage, parseSignal } from './protocol.js';

/**
 * @typedef {import('./protocol.js').LeaveReason} LeaveReason
 * @typedef {import('./negotiator/io.js').PairState} PairState
 * @typedef {import('./rtc.js').PathStats} PathStats
 *
 * @typedef {object} Peer
 * @property {string} id
 * @property {PairState} state how far the connection to it is
 * @property {boolean} away the server does not know it now; the open channel to it goes on
 * @property {PathStats | null} path as of the last `readStats`
 * @property {number} messageBytes the largest text that it takes over its open channel, in bytes of UTF-8; else 0
 *
 * @typedef {import('./session.js').SessionStatus | { state: 'joined', rejoined: boolean, peers: string[] } | { state: 'idle' }} RoomStatus
 *   `joined` also says whether this is a return after the connection to the server was lost
 *
 * @typedef {object} Message
 * @property {string} from
 * @property {string} text what was said: the data, or its `text` or `message`, or its JSON
 * @property {unknown} data
 * @property {'p2p' | 'broadcast' | 'direct'} via over the data channel, or through the server to all, or to this peer
 * @property {Date} at
 *
 * @typedef {{ status: RoomStatus, message: Message,
 *   peer: { peer: Peer, change: 'joined' | 'left' | 'away' | 'back' | 'state' | 'path', reason?: LeaveReason },
 *   error: { code: string, message: string, peer?: string, limit?: number } }} RoomEvents
 *
 * @typedef {object} RoomOptions
 * @property {string} room
 * @property {string} [peerId] without it the server makes one
 * @property {string} [server] where grtc-server is, also below a path; default: where this module came from
 * @property {boolean} [returning] this peer was in the room a moment ago, say before the page was loaded anew: if its id
 *   is taken, that may be itself, so it tries again for a while
 * @property {RTCIceServer[]} [iceServers] instead of those that the server names
 * @property {(url: string) => import('./session.js').Socket} [webSocket]
 * @property {import('./pair.js').CreateConnection} [createConnection]
 * @property {() => number} [now]
 * @property {() => number} [random]
 */

/** @extends {Emitter<RoomEvents>} */
export class Room extends Emitter {
  #options;
  #session;
  #mesh = new Mesh();
  #pairs;
  /** @type {Map<string, Peer>} */
  #peers = new Map();
  /** @type {string | null} */
  #self;
  /** @type {RTCIceServer[]} */
  #iceServers = [];
  /** @type {RoomStatus} */
  #status = { state: 'idle' };
  #hasJoined = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #awayTimer;

  /**
   * @param {RoomOptions} options
   * @throws {import('./protocol.js').InvalidName} when the room or the peer id is no name
   */
  constructor(options) {
    super();
    this.#options = { now: () => performance.now(), ...options, room: parseName(options.room) };
    this.#self = options.peerId === undefined ? null : parseName(options.peerId);
    const url = () => roomUrl(options.server, this.name, this.#self);
    this.#session = new Session({ ...this.#options, url });
    this.#pairs = new Pairs({
      iceServers: () => this.#iceServers,
      signal: (signal) => this.#session.send(encode(signal)),
      onState: (peer, state) => this.#pairChanged(peer, state),
      onMessage: (from, text) => this.emit('message', { from, text, data: text, via: 'p2p', at: new Date() }),
      onError: (error) => this.emit('error', error),
      createConnection: options.createConnection,
      now: this.#options.now,
    });
    this.#session.on('status', (status) => this.#sessionChanged(status));
    this.#session.on('message', (text) => this.#received(text));
  }

  get name() {
    return this.#options.room;
  }

  /** This peer's id; null until the server has made one. */
  get peerId() {
    return this.#self;
  }

  get status() {
    return this.#status;
  }

  /** Everybody else, in the order in which they became known. @returns {Peer[]} */
  get peers() {
    return [...this.#peers.values()];
  }

  /** Goes in. What comes of it is told by `status`. Also: tries now instead of after the wait. */
  join() {
    this.#session.open();
  }

  /** Says goodbye and ends every connection. */
  leave() {
    this.#session.send(encode({ type: 'leave' }));
    this.#session.close();
  }

  /** Tries anew to reach a peer that is in the room. @param {string} peer */
  reconnect(peer) {
    if (this.#mesh.isPresent(peer)) this.#start(peer, true);
  }

  /**
   * Sends a text over the data channels. For each peer that does not take so much there is an `error` with the code
   * `too_big`; it goes to the others.
   * @param {string} text at most 256 KiB in UTF-8
   * @param {string} [to] one peer; default: everybody with an open channel
   * @returns {Promise<string[]>} to whom it was handed over
   * @throws {RoomError}
   */
  send(text, to) {
    return this.#pairs.send(text, to);
  }

  /** Sends any JSON to everybody in the room through the server. @param {unknown} data @throws {RoomError} */
  broadcast(data) {
    this.#toServer(encode({ type: 'broadcast', data }));
  }

  /** Sends any JSON to one peer through the server. @param {unknown} data @param {string} to @throws {RoomError} */
  message(data, to) {
    this.#toServer(encode({ type: 'message', target_peer_id: to, data }));
  }

  /** Measures each open connection's path; `peer` events with `path` tell it. */
  async readStats() {
    for (const [id, path] of await this.#pairs.readStats()) {
      const peer = this.#peers.get(id);
      if (!peer || (!path && !peer.path)) continue;
      peer.path = path;
      this.emit('peer', { peer, change: 'path' });
    }
  }

  /** @param {string} text */
  #toServer(text) {
    checkSize(text, MESSAGE_BYTES);
    if (this.#status.state !== 'joined' || !this.#session.send(text)) {
      throw new RoomError('not_joined', 'there is no connection to the server');
    }
  }

  /** @param {import('./session.js').SessionStatus} status */
  #sessionChanged(status) {
    if (status.state === 'closed') {
      this.#hasJoined = false;
      this.#feed('leave');
    }
    this.#enter(status);
  }

  /** @param {RoomStatus} status */
  #enter(status) {
    this.#status = status;
    this.emit('status', status);
  }

  /** @param {string} text */
  #received(text) {
    let message;
    try {
      message = parseServerMessage(text);
    } catch (error) {
      this.emit('error', { code: 'bad_message', message: String(error) });
    }
    if (message) this.#handle(message);
  }

  /** @param {import('./protocol.js').ServerMessage} message */
  #handle(message) {
    switch (message.type) {
      case 'room_state':
        return this.#joined(message);
      case 'peer_joined':
        return this.#feed({ peer_joined: { peer: message.peer_id } });
      case 'peer_left':
        return this.#feed({ peer_left: { peer: message.peer_id, reason: message.reason ?? 'left' } });
      case 'webrtc_signal':
        return this.#signalled(message.from_peer_id, message.signal);
      case 'broadcast_message':
        return this.#said(message.from_peer_id, message.data, 'broadcast');
      case 'direct_message':
        return this.#said(message.from_peer_id, message.data, 'direct');
      case 'error':
        return this.emit('error', { code: message.code, message: message.message });
    }
  }

  /** @param {import('./protocol.js').RoomState} state */
  #joined(state) {
    const rejoined = this.#hasJoined;
    this.#hasJoined = true;
    this.#self = state.your_peer_id;
    this.#iceServers = this.#options.iceServers ?? state.ice_servers ?? [];
    this.#session.joined();
    this.#enter({ state: 'joined', rejoined, peers: state.peers });
    this.#feed({ room_state: { me: this.#self, peers: state.peers } });
  }

  /** @param {string} from @param {unknown} value */
  #signalled(from, value) {
    const signal = parseSignal(value);
    if (signal && this.#mesh.isPresent(from)) this.#pairs.signal(from, signal);
  }

  /** @param {string} from @param {unknown} data @param {Message['via']} via */
  #said(from, data, via) {
    this.emit('message', { from, text: textOf(data), data, via, at: new Date() });
  }

  /** Tells the mesh, and does what it says. @param {import('./mesh.js').Input} input */
  #feed(input) {
    for (const effect of this.#mesh.handle(this.#options.now(), input)) {
      if ('start' in effect) this.#start(effect.start.peer, effect.start.initiator);
      else if ('close' in effect) this.#close(effect.close.peer, effect.close.reason);
      else if ('away' in effect) this.#setAway(effect.away.peer, true, effect.away.reason);
      else this.#setAway(effect.back.peer, false);
    }
    clearTimeout(this.#awayTimer);
    const due = this.#mesh.pollTimeout();
    if (due !== null) this.#awayTimer = setTimeout(() => this.#feed('tick'), Math.max(0, due - this.#options.now()));
  }

  /** @param {string} id @param {boolean} initiator */
  #start(id, initiator) {
    const known = this.#peers.get(id);
    const peer = known ?? { id, state: 'connecting', away: false, path: null, messageBytes: 0 };
    this.#peers.set(id, peer);
    if (!known) this.emit('peer', { peer, change: 'joined' });
    this.#pairs.start(id, this.#self ?? '', initiator);
  }

  /** @param {string} id @param {PairState} state */
  #pairChanged(id, state) {
    const peer = this.#peers.get(id);
    if (!peer) return;
    peer.state = state;
    if (state !== 'connected') peer.path = null;
    peer.messageBytes = state === 'connected' ? this.#pairs.messageBytes(id) : 0;
    this.emit('peer', { peer, change: 'state' });
    this.#feed(state === 'connected' ? { opened: { peer: id } } : { lost: { peer: id } });
  }

  /** @param {string} id @param {LeaveReason} reason */
  #close(id, reason) {
    const peer = this.#peers.get(id);
    this.#pairs.close(id);
    this.#peers.delete(id);
    if (peer) this.emit('peer', { peer, change: 'left', reason });
  }

  /** @param {string} id @param {boolean} away @param {LeaveReason} [reason] */
  #setAway(id, away, reason) {
    const peer = this.#peers.get(id);
    if (!peer) return;
    peer.away = away;
    this.emit('peer', { peer, change: away ? 'away' : 'back', ...(reason && { reason }) });
  }
}

/** What a person reads of the data: a text, the text in it, or its JSON. @param {any} data */
function textOf(data) {
  const text = [data, data?.text, data?.message].find((value) => typeof value === 'string');
  return text ?? JSON.stringify(data);
}
