/** The page's one room: the room that it is in now, and what its parts need to know of it. */
import { Emitter } from './emitter.js';
import { Heard } from './heard.js';
import { Room } from './room.js';
import { RoomError } from './room_error.js';

/**
 * @typedef {import('./room.js').RoomStatus} RoomStatus
 * @typedef {import('./room.js').Peer} Peer
 * @typedef {import('./room.js').Message} Message
 *
 * @typedef {{ from: 'me', text: string, via: 'p2p' | 'broadcast', at: Date, to: string[] | null,
 *   outcomes?: import('./pairs.js').Submitted['outcomes'] }} OwnMessage
 *   `to`: whom it goes to; null for everybody in the room
 * @typedef {import('./room.js').RoomEvents & { status: RoomStatus, sent: OwnMessage,
 *   profile: import('./profile.js').Profile, access: null }} PageRoomEvents
 *   `access`: the user's token is another one
 */

const STATS_MS = 1_000;
/** So many of the last broadcasts are shown to who comes. */
const HISTORY = 50;

/** @extends {Emitter<PageRoomEvents>} */
export class PageRoom extends Emitter {
  /** @type {Room | null} */
  #room = null;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #statsTimer;
  /** The page went away while it was in a room: it leaves, and comes back when the page does. */
  suspended = false;
  #heard = new Heard();
  /** @type {import('./profile.js').Profile} */
  #profile = { name: '', color: '' };

  #token;

  /** @param {import('./page_token.js').PageToken} token */
  constructor(token) {
    super();
    this.#token = token;
    token.on('change', () => this.emit('access', null));
    // Somebody looks: no reason to wait for the timer.
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
    // What stands in the chat already is not told again.
    const heard = roomName === this.roomName ? this.#heard : new Heard();
    const token = () => this.#token.value;
    const room = new Room({ room: roomName, peerId, returning, history: HISTORY, heard, token, ...this.#metadata() });
    this.#room?.leave();
    this.#heard = heard;
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

  /** What the user's token allows, as far as there is one. */
  get grants() {
    return this.#token.claims?.grants ?? null;
  }

  /** Whether it allows this room, as far as the page knows. @param {string} room */
  allows(room) {
    return this.#token.allowsRoom(room);
  }

  /** Shows the server another token, if there is a connection that has one. @param {string} token @throws {RoomError} `bad_token`, `no_answer` */
  async authenticate(token) {
    if (this.status.state !== 'joined') return;
    try {
      await this.#room?.authenticate(token);
    } catch (error) {
      // The next connection begins with it.
      if (!(error instanceof RoomError) || error.code !== 'not_joined') throw error;
    }
  }

  get profile() {
    return this.#profile;
  }

  /** The user's name and colour, for the others. @param {import('./profile.js').Profile} profile */
  setProfile(profile) {
    const had = this.#metadata();
    this.#profile = profile;
    this.emit('profile', profile);
    if (had.metadata || this.#metadata().metadata) this.#room?.setMetadata(this.#metadata().metadata ?? {});
  }

  /** Who says nothing has none. */
  #metadata() {
    const said = Object.entries(this.#profile).filter(([, value]) => value);
    return said.length ? { metadata: Object.fromEntries(said) } : {};
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
    const submitted = this.#in().submit(text, peer);
    this.emit('sent', { from: 'me', text, via: 'p2p', at: new Date(), ...submitted });
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
