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
import { Heard } from './heard.js';
import { checkSize } from './room_error.js';
import { Session } from './session.js';
import { roomUrl } from './home.js';
import { said } from './said.js';
import { Mesh } from './mesh.js';
import { PairReports } from './pair_reports.js';
import { Pairs } from './pairs.js';
import { METADATA_BYTES, parseName, parseServerMessage, parseSignal } from './protocol.js';
import { Roster } from './roster.js';

/**
 * @typedef {import('./room_types.js').Peer} Peer
 * @typedef {import('./room_types.js').Message} Message
 * @typedef {import('./room_types.js').RoomStatus} RoomStatus
 * @typedef {import('./room_types.js').RoomEvents} RoomEvents
 * @typedef {import('./room_types.js').RoomOptions} RoomOptions
 * @typedef {import('./room_types.js').LeaveReason} LeaveReason
 * @typedef {import('./room_types.js').PairState} PairState
 */

/** @extends {Emitter<RoomEvents>} */
export class Room extends Emitter {
  #options;
  #session;
  #mesh = new Mesh();
  #pairs;
  #reports;
  #roster = new Roster((told) => this.emit('peer', told));
  /** @type {string | null} */
  #self;
  /** @type {RTCIceServer[]} */
  #iceServers = [];
  /** @type {RoomStatus} */
  #status = { state: 'idle' };
  #hasJoined = false;
  /** @type {object | null} */
  #metadata;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #awayTimer;

  /**
   * @param {RoomOptions} options
   * @throws {import('./protocol.js').InvalidName} when the room or the peer id is no name
   */
  constructor(options) {
    super();
    this.#options = { now: () => performance.now(), heard: new Heard(), ...options, room: parseName(options.room) };
    this.#self = options.peerId === undefined ? null : parseName(options.peerId);
    this.#metadata = options.metadata ?? null;
    const history = /** @type {Record<string, string>} */ (options.history ? { history: String(options.history) } : {});
    const url = (/** @type {Record<string, string>} */ query) =>
      roomUrl(options.server, this.name, this.#self, { ...query, ...history });
    this.#session = new Session({ ...this.#options, url });
    this.#pairs = new Pairs({
      iceServers: () => this.#iceServers,
      // To who is not in the room it would be an error; it gets an offer when it is back.
      signal: (signal) => this.#mesh.isPresent(signal.target_peer_id) && this.#session.send(signal),
      onState: (peer, state, about) => this.#pairChanged(peer, state, about),
      onRestarted: (peer) => this.#roster.restarted(peer),
      onMessage: (from, text) =>
        this.emit('message', { from, text, data: text, via: 'p2p', at: new Date(), replayed: false }),
      onError: (error) => this.emit('error', error),
      createConnection: options.createConnection,
      now: this.#options.now,
    });
    this.#reports = new PairReports({
      send: (report) => this.#session.send(report),
      path: (peer) => this.#pairs.path(peer),
      now: this.#options.now,
    });
    this.#session.on('status', (status) => this.#sessionChanged(status));
    this.#session.on('message', (text) => this.#received(text));
    this.#session.on('woke', ({ slept }) => this.#pairs.hear({ network: { gone: slept } }));
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
    return this.#roster.all;
  }

  /** Goes in. What comes of it is told by `status`. Also: tries now instead of after the wait. */
  join() {
    this.#session.open();
  }

  /** Says goodbye and ends every connection. */
  leave() {
    this.#session.close();
  }

  /** What the others see beside this peer's id, instead of what they saw. @param {object} metadata @throws {import('./room_error.js').RoomError} */
  setMetadata(metadata) {
    checkSize(JSON.stringify(metadata), METADATA_BYTES);
    this.#metadata = metadata;
    this.#session.send({ type: 'metadata', metadata });
  }

  /**
   * Shows the server another token, also of more or of fewer rights, and stays in the room.
   * @param {string} token
   * @returns {Promise<Date>} how long it is good for
   * @throws {import('./room_error.js').RoomError} `bad_token` (it is no good one, or somebody else's: what was goes on), `not_joined`, `no_answer`
   */
  authenticate(token) {
    return this.#session.token.renew(token);
  }

  /** Tries anew to reach a peer that is in the room. @param {string} peer */
  reconnect(peer) {
    this.#pairs.hear('present', peer);
  }

  /**
   * Sends a text over the data channels. For each peer that does not take so much there is an `error` with the code
   * `too_big`; it goes to the others. After 120 s without a word of a peer's program it is not known whether that has it.
   * @param {string} text at most 256 KiB in UTF-8
   * @param {string} [to] one peer; default: everybody who takes a message now
   * @returns {Promise<string[]>} those whose program has it
   * @throws {import('./room_error.js').RoomError}
   */
  send(text, to) {
    return this.#pairs.send(text, to);
  }

  /** The same, but says at once whom it goes to, and later how it fared. @param {string} text @param {string} [to] @throws {import('./room_error.js').RoomError} */
  submit(text, to) {
    return this.#pairs.submit(text, to);
  }

  /** Sends any JSON to everybody in the room through the server. @param {unknown} data @throws {import('./room_error.js').RoomError} */
  broadcast(data) {
    this.#session.say({ type: 'broadcast', data });
  }

  /** Sends any JSON to one peer through the server. @param {unknown} data @param {string} to @throws {import('./room_error.js').RoomError} */
  message(data, to) {
    this.#session.say({ type: 'message', target_peer_id: to, data });
  }

  /** Measures each open connection's path; `peer` events with `path` tell it. */
  async readStats() {
    for (const [id, path] of await this.#pairs.readStats()) this.#roster.setPath(id, path);
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
        this.#feed({ peer_joined: { peer: message.peer_id } });
        return this.#present(message.peer_id);
      case 'peer_left':
        return this.#feed({ peer_left: { peer: message.peer_id, reason: message.reason ?? 'left' } });
      case 'peer_away':
        return this.#roster.setAway(message.peer_id, true);
      case 'peer_back':
        return this.#present(message.peer_id);
      case 'peer_updated':
        return this.#roster.describe(message.peer_id, message.metadata);
      case 'webrtc_signal':
        return this.#signalled(message.from_peer_id, message.signal);
      case 'broadcast_message':
        return this.#options.heard.isNew(message) && this.emit('message', said(message, 'broadcast'));
      case 'direct_message':
        return this.emit('message', said(message, 'direct'));
      case 'ack':
        return this.#session.answered(message.ref);
      case 'authenticated':
        return this.#session.token.taken(message.expires_at);
      case 'error':
        if (message.code === 'bad_token') this.#session.token.refused(message.message);
        if (message.ref !== undefined) this.#session.answered(message.ref);
        // An older server; nothing else that is sent is unknown to any.
        if (message.code === 'unknown_type' && this.#reports.unknown()) return;
        return this.emit('error', { code: message.code, message: message.message });
    }
  }

  /** @param {import('./protocol.js').RoomState} state */
  #joined(state) {
    const rejoined = this.#hasJoined;
    this.#reports.again();
    this.#hasJoined = true;
    this.#self = state.your_peer_id;
    this.#iceServers = this.#options.iceServers ?? state.ice_servers ?? [];
    this.#options.heard.joined(state.epoch, this.#self);
    const { recovered, dropped } = this.#session.joined(state);
    this.#enter({ state: 'joined', rejoined, recovered, peers: state.peers });
    // What was missed follows, and changes the roster as it did the others'. But there is a link to the server again.
    if (recovered) return state.peers.forEach((peer) => this.#pairs.hear('present', peer));
    this.#feed({ room_state: { me: this.#self, peers: state.peers } });
    for (const peer of state.peers) {
      this.#present(peer);
      this.#roster.describe(peer, state.metadata?.[peer] ?? {});
    }
    if (this.#metadata) this.#session.send({ type: 'metadata', metadata: this.#metadata });
    const count = dropped.filter(({ type }) => type === 'broadcast' || type === 'message').length;
    if (count) this.emit('error', { code: 'not_delivered', message: `${count} messages may not have arrived`, count });
  }

  /** It is there, or there again. @param {string} peer */
  #present(peer) {
    this.#roster.setAway(peer, false);
    this.#pairs.hear('present', peer);
  }

  /** @param {string} from @param {unknown} value */
  #signalled(from, value) {
    const signal = parseSignal(value);
    if (signal && this.#mesh.isPresent(from)) this.#pairs.signal(from, signal);
  }

  /** Tells the mesh, and does what it says. @param {import('./mesh.js').Input} input */
  #feed(input) {
    for (const effect of this.#mesh.handle(this.#options.now(), input)) {
      if ('start' in effect) this.#start(effect.start.peer, effect.start.initiator);
      else if ('close' in effect) this.#close(effect.close.peer, effect.close.reason);
      else if ('away' in effect) this.#roster.setAway(effect.away.peer, true, effect.away.reason);
      else this.#roster.setAway(effect.back.peer, false);
    }
    clearTimeout(this.#awayTimer);
    const due = this.#mesh.pollTimeout();
    if (due !== null) this.#awayTimer = setTimeout(() => this.#feed('tick'), Math.max(0, due - this.#options.now()));
  }

  /** @param {string} id @param {boolean} initiator */
  #start(id, initiator) {
    this.#roster.enter(id);
    this.#reports.begin(id);
    this.#pairs.start(id, this.#self ?? '', initiator);
  }

  /** @param {string} id @param {LeaveReason} reason */
  #close(id, reason) {
    this.#pairs.close(id);
    this.#reports.end(id);
    this.#roster.leave(id, reason);
  }

  /** @param {string} id @param {PairState} state @param {import('./pair.js').About} about */
  #pairChanged(id, state, about) {
    // Perhaps it is not the peer that is gone, but the network.
    if (this.#roster.get(id)?.state === 'open') this.#session.doubt();
    this.#reports.changed(id, state);
    this.#roster.setState(id, { state, messageBytes: this.#pairs.messageBytes(id) }, about);
    if (state === 'open') this.#feed({ opened: { peer: id } });
    else if (state !== 'interrupted' && !this.#pairs.hasStreams(id)) this.#feed({ lost: { peer: id } });
  }
}
