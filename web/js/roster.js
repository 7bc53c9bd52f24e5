/** The others in a room as the program sees them; each change of one of them is told. */

/**
 * @typedef {import('./room_types.js').Peer} Peer
 * @typedef {import('./room_types.js').LeaveReason} LeaveReason
 * @typedef {import('./room_types.js').RoomEvents['peer']} Told
 */

export class Roster {
  /** @type {Map<string, Peer>} */
  #peers = new Map();
  #tell;

  /** @param {(told: Told) => void} tell */
  constructor(tell) {
    this.#tell = tell;
  }

  /** In the order in which they became known. */
  get all() {
    return [...this.#peers.values()];
  }

  /** @param {string} id */
  get(id) {
    return this.#peers.get(id);
  }

  /** @param {string} id */
  enter(id) {
    if (this.#peers.has(id)) return;
    /** @type {Peer} */
    const peer = { id, state: 'connecting', away: false, path: null, messageBytes: 0, metadata: {} };
    this.#peers.set(id, peer);
    this.#tell({ peer, change: 'joined' });
  }

  /** @param {string} id @param {LeaveReason} reason */
  leave(id, reason) {
    const peer = this.#peers.get(id);
    this.#peers.delete(id);
    if (peer) this.#tell({ peer, change: 'left', reason });
  }

  /** @param {string} id @param {boolean} away @param {LeaveReason} [reason] */
  setAway(id, away, reason) {
    const peer = this.#peers.get(id);
    if (!peer || peer.away === away) return;
    peer.away = away;
    this.#tell({ peer, change: away ? 'away' : 'back', ...(reason && { reason }) });
  }

  /** What it says about itself. @param {string} id @param {Peer['metadata']} metadata */
  describe(id, metadata) {
    const peer = this.#peers.get(id);
    if (!peer || JSON.stringify(peer.metadata) === JSON.stringify(metadata)) return;
    peer.metadata = metadata;
    this.#tell({ peer, change: 'updated' });
  }

  /** How the pair with it is. @param {string} id @param {Pick<Peer, 'state' | 'messageBytes'>} pair @param {import('./pair.js').About} about */
  setState(id, pair, about) {
    const peer = this.#peers.get(id);
    if (!peer) return;
    Object.assign(peer, pair);
    if (peer.state !== 'open') peer.path = null;
    this.#tell({ peer, change: 'state', ...about });
  }

  /** @param {string} id */
  restarted(id) {
    const peer = this.#peers.get(id);
    if (peer) this.#tell({ peer, change: 'restarted' });
  }

  /** @param {string} id @param {Peer['path']} path */
  setPath(id, path) {
    const peer = this.#peers.get(id);
    if (!peer || (!path && !peer.path)) return;
    peer.path = path;
    this.#tell({ peer, change: 'path' });
  }
}
