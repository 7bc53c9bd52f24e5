/** A signaling server and data channels in memory, for rooms that run without a browser. */

/**
 * @typedef {import('../../js/rtc.js').ConnectionEvents} ConnectionEvents
 * @typedef {{ channel: boolean, events: ConnectionEvents }} ConnectionOptions
 */

/** The server: one room. A message arrives in a later turn, in the order sent. */
export class FakeServer {
  /** @type {Map<string, FakeSocket>} */
  peers = new Map();
  /** Who is not let in. @type {Set<string>} */
  banned = new Set();

  /** @param {string} url */
  connect = (url) => new FakeSocket(this, new URL(url).searchParams.get('peer_id') ?? 'made-here');

  /** Whose program is gone without a word. @param {string} id */
  forget(id) {
    const socket = this.peers.get(id);
    this.peers.delete(id);
    if (!socket) return;
    socket.readyState = 3;
    socket.onmessage = socket.onclose = null;
  }

  /** Ends every connection, as a restart does. */
  restart() {
    const sockets = [...this.peers.values()];
    this.peers.clear();
    for (const socket of sockets) socket.end(1012);
  }

  /** @param {FakeSocket} socket */
  enter(socket) {
    if (this.banned.has(socket.id)) return socket.end(4403);
    if (this.peers.has(socket.id)) return socket.end(4409);
    socket.readyState = 1;
    socket.onopen?.({});
    socket.get({ type: 'room_state', peers: [...this.peers.keys()], your_peer_id: socket.id });
    this.peers.set(socket.id, socket);
    this.tell({ type: 'peer_joined', peer_id: socket.id, timestamp: '', total_peers: this.peers.size }, socket.id);
  }

  /** @param {FakeSocket} socket @param {string} reason */
  leave(socket, reason) {
    if (this.peers.get(socket.id) !== socket) return;
    this.peers.delete(socket.id);
    this.tell(
      { type: 'peer_left', peer_id: socket.id, timestamp: '', total_peers: this.peers.size, reason },
      socket.id,
    );
  }

  /** @param {object} message @param {string} except */
  tell(message, except) {
    for (const [id, socket] of this.peers) if (id !== except) socket.get(message);
  }

  /** @param {FakeSocket} from @param {any} message */
  take(from, message) {
    const stamp = { from_peer_id: from.id, timestamp: '' };
    if (message.type === 'leave') return this.leave(from, 'left');
    if (message.type === 'broadcast')
      return this.tell({ type: 'broadcast_message', data: message.data, ...stamp }, from.id);
    const target = this.peers.get(message.target_peer_id);
    if (message.type === 'message') target?.get({ type: 'direct_message', data: message.data, ...stamp });
    else target?.get({ type: 'webrtc_signal', signal: message, ...stamp });
  }
}

export class FakeSocket {
  readyState = 0;
  /** @type {((event: any) => void) | null} */
  onopen = null;
  /** @type {((event: any) => void) | null} */
  onmessage = null;
  /** @type {((event: any) => void) | null} */
  onclose = null;

  /** @param {FakeServer} server @param {string} id */
  constructor(server, id) {
    this.server = server;
    this.id = id;
    setImmediate(() => server.enter(this));
  }

  /** @param {any} text */
  send(text) {
    this.server.take(this, JSON.parse(text));
  }

  close() {
    this.server.leave(this, 'left');
    this.readyState = 3;
  }

  /** @param {object} message */
  get(message) {
    setImmediate(() => this.onmessage?.({ data: JSON.stringify(message) }));
  }

  /** @param {number} code */
  end(code) {
    this.readyState = 3;
    setImmediate(() => this.onclose?.({ code }));
  }
}

/** Connections that find one another by the numbers in their descriptions. */
export class FakeNetwork {
  /** @type {FakeConnection[]} */
  connections = [];
  /** Both sides of what is made from now on have streams. */
  streams = true;
  /** What is made from now on never opens. */
  wedged = false;

  /** @param {ConnectionOptions} options */
  create = (options) => {
    const connection = new FakeConnection(this, this.connections.length, options);
    this.connections.push(connection);
    return connection;
  };

  /** Those that are open on both sides now, each side. */
  get open() {
    return this.connections.filter(({ closed, dead, other }) => !closed && !dead && other && !other.closed);
  }
}

export class FakeConnection {
  /** @type {FakeConnection | null} */
  other = null;
  closed = false;
  /** Nothing arrives any more, not what is under way either. */
  dead = false;
  messageBytes = 262_144;
  hasStreams;
  progress = { acknowledged: 0, waiting: false };

  /** @param {FakeNetwork} network @param {number} number @param {ConnectionOptions} options */
  constructor(network, number, { events }) {
    this.network = network;
    this.number = number;
    this.events = events;
    this.hasStreams = network.streams;
  }

  async createOffer() {
    return `offer ${this.number}`;
  }

  /** @param {string} sdp */
  async acceptOffer(sdp) {
    this.other = this.network.connections[Number(sdp.split(' ')[1])] ?? null;
    return `answer ${this.number}`;
  }

  /** @param {string} sdp */
  async applyAnswer(sdp) {
    this.other = this.network.connections[Number(sdp.split(' ')[1])] ?? null;
    if (this.network.wedged) return;
    for (const end of [this, this.other]) {
      setImmediate(() => end?.closed || end?.events.open());
      if (this.hasStreams) setImmediate(() => end?.closed || end?.events.linked());
    }
  }

  addCandidate() {}

  /** @param {string} text */
  async send(text) {
    const { other } = this;
    if (this.closed || !other || other.closed) throw new Error('closed');
    setImmediate(() => other.dead || other.events.message(text));
  }

  get takesFrames() {
    return !this.closed && this.other !== null;
  }

  /** @param {Uint8Array} bytes */
  sendFrames(bytes) {
    const { other } = this;
    setImmediate(() => other?.closed || other?.dead || other?.events.frames(bytes));
  }

  async stats() {
    return { local: 'host', remote: 'host', protocol: 'udp', rttMs: 1.5, bytesSent: 0, bytesReceived: 0 };
  }

  close() {
    if (this.closed) return;
    this.closed = true;
    const { other } = this;
    if (other && !other.closed) setImmediate(() => other.closed || other.events.lost('closed by the other side'));
  }

  /** The path is gone, with what is under way on it. */
  cut() {
    for (const end of [this, this.other]) {
      if (!end) continue;
      end.dead = true;
      setImmediate(() => end.closed || end.events.lost('cut'));
    }
  }
}
