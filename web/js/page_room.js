/** The page's one room: the room that it is in now, and what its parts need to know of it. */
import { Emitter } from './emitter.js';
import { Room } from './room.js';
import { RoomError } from './room_error.js';

/**
 * @typedef {import('./room.js').RoomStatus} RoomStatus
 * @typedef {import('./room.js').Peer} Peer
 * @typedef {import('./room.js').Message} Message
 *
 * @typedef {{ from: 'me', text: string, via: 'p2p' | 'broadcast', at: Date, to: string[] | null }} OwnMessage
 *   `to`: whom it reached; null for everybody in the room
 * @typedef {import('./room.js').RoomEvents & { status: RoomStatus, sent: OwnMessage }} PageRoomEvents
 */

const STATS_MS = 1_000;

/** @extends {Emitter<PageRoomEvents>} */
export class PageRoom extends Emitter {
  /** @type {Room | null} */
  #room = null;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #statsTimer;
  /** The page went away while it was in a room: it leaves, and comes back when the page does. */
  suspended = false;

  constructor() {
    super();
    // A laptop that wakes up, a network that is there again: no reason to wait for the timer.
    addEventListener('online', () => this.retry());
    document.addEventListener('visibilitychange', () => document.hidden || this.retry());
    addEventListener('pagehide', () => this.#suspend());
    addEventListener('pageshow', () => this.#resume());
  }

  /** @returns {RoomStatus} */
  get status() {
    return this.#room?.status ?? { state: 'idle' };
  }

  /** Whether the user wants to be in a room. */
  get active() {
    return this.status.state !== 'idle' && this.status.state !== 'closed';
  }

  get peers() {
    return this.#room?.peers ?? [];
  }

  get peerId() {
    return this.#room?.peerId ?? '';
  }

  get roomName() {
    return this.#room?.name ?? '';
  }

  /**
   * @param {string} roomName
   * @param {string} peerId
   * @param {boolean} returning this tab was in the room a moment ago
   * @throws {import('./names.js').InvalidName}
   */
  join(roomName, peerId, returning) {
    const room = new Room({ room: roomName, peerId, returning });
    this.#room?.leave();
    this.#room = room;
    const pass = /** @param {keyof import('./room.js').RoomEvents} name */ (name) =>
      room.on(name, (/** @type {any} */ event) => this.#room === room && this.emit(name, event));
    pass('status');
    pass('peer');
    pass('message');
    pass('error');
    room.join();
    clearInterval(this.#statsTimer);
    this.#statsTimer = setInterval(() => document.hidden || void room.readStats(), STATS_MS);
  }

  #suspend() {
    if (!this.active) return;
    this.suspended = true;
    this.leave();
  }

  /** Out of the browser's memory; a page that is loaded anew begins by itself. */
  #resume() {
    if (!this.suspended) return;
    this.suspended = false;
    this.join(this.roomName, this.peerId, true);
  }

  leave() {
    clearInterval(this.#statsTimer);
    this.#room?.leave();
  }

  /** Connects now, if the room waits to do so. */
  retry() {
    if (this.status.state === 'waiting') this.#room?.join();
  }

  /** Tries again with a peer that could not be reached. @param {string} peer */
  reconnect(peer) {
    this.#room?.reconnect(peer);
  }

  /** Over the data channels. @param {string} text @param {string} [peer] @throws {RoomError} */
  async send(text, peer) {
    const to = await this.#in().send(text, peer);
    this.emit('sent', { from: 'me', text, via: 'p2p', at: new Date(), to });
  }

  /** Through the server, to everybody. @param {string} text @throws {RoomError} */
  broadcast(text) {
    this.#in().broadcast(text);
    this.emit('sent', { from: 'me', text, via: 'broadcast', at: new Date(), to: null });
  }

  #in() {
    if (!this.#room) throw new RoomError('not_joined', 'not in a room');
    return this.#room;
  }
}
