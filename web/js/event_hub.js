/**
 * Hands one stream on to the tabs of a browser. HTTP/1.1 allows a browser six connections to a server: with a stream for
 * each tab the seventh would never load. Tabs that show the server another token have another stream: nobody hears what its
 * own token does not allow.
 *
 * A tab says `{ here: token }` at once and every 20 s, and `bye` when it goes; it is told `{ live }` in answer, `{ name, data }`
 * for each event, and `{ refused, token }` when the server gives none to this one. One that has not been heard for long (frozen, or gone without
 * a word) gets nothing more, so that nothing piles up for it; when it is there again it is told that it `missed` something.
 */

/** A tab in the background may be let run once a minute only. */
export const LEASE_MS = 150_000;

/**
 * @typedef {Pick<MessagePort, 'postMessage'> & { onmessage: ((event: any) => void) | null }} Port
 * @typedef {'bye' | { here: string | null }} FromTab
 * @typedef {{ live: boolean, missed?: true, refused?: string, token?: string | null } | import('./event_parser.js').StreamEvent} ToTab
 * @typedef {import('./event_stream.js').EventStream} EventStream
 */

/** The hubs of a browser: one for each token that is in use. */
export class EventHubs {
  #createStream;
  #now;
  /** @type {Map<string | null, EventHub>} */
  #hubs = new Map();

  /** @param {(token: string | null) => EventStream} createStream @param {() => number} [now] */
  constructor(createStream, now = () => performance.now()) {
    this.#createStream = createStream;
    this.#now = now;
  }

  /** @param {Port} port */
  attach(port) {
    port.onmessage = ({ data }) => this.#heard(port, data);
  }

  /** @param {Port} port @param {FromTab} said */
  #heard(port, said) {
    const token = said === 'bye' ? undefined : said.here;
    for (const [key, hub] of this.#hubs) {
      if (key !== token) hub.drop(port);
      if (hub.isEmpty && key !== token) this.#hubs.delete(key);
    }
    if (token === undefined) return;
    const hub = this.#hubs.get(token) ?? new EventHub(token, this.#createStream(token), this.#now);
    this.#hubs.set(token, hub);
    hub.here(port);
  }
}

/** One stream, and the tabs that follow it. */
class EventHub {
  #stream;
  #now;
  /** When each was last heard. @type {Map<Port, number>} */
  #tabs = new Map();

  /** @param {string | null} token @param {EventStream} stream @param {() => number} now */
  constructor(token, stream, now) {
    this.#stream = stream;
    this.#now = now;
    stream.on('live', (live) => this.#tell({ live }));
    stream.on('event', (event) => this.#tell(event));
    stream.on('refused', (refused) => this.#tell({ live: false, refused, token }));
  }

  get isEmpty() {
    return this.#tabs.size === 0;
  }

  /** @param {Port} port */
  here(port) {
    const missed = !this.#tabs.has(port);
    this.#tabs.set(port, this.#now());
    port.postMessage({ live: this.#stream.live, ...(missed && { missed }) });
    // Who comes anew may ask again for what was refused.
    if (missed) this.#stream.refusal = null;
    this.#stream.open();
  }

  /** @param {Port} port */
  drop(port) {
    if (this.#tabs.delete(port) && this.isEmpty) this.#stream.close();
  }

  /** @param {ToTab} message */
  #tell(message) {
    for (const [port, heard] of this.#tabs) {
      if (this.#now() - heard > LEASE_MS) this.drop(port);
      else port.postMessage(message);
    }
  }
}
