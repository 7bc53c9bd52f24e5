/**
 * Hands one stream on to the tabs of a browser. HTTP/1.1 allows a browser six connections to a server: with a stream for
 * each tab the seventh would never load.
 *
 * A tab says `here` at once and every 20 s, and `bye` when it goes; it is told `{ live }` in answer, and `{ name, data }`
 * for each event. One that has not been heard for long (frozen, or gone without a word) gets nothing more, so that nothing
 * piles up for it; when it is there again it is told that it `missed` something.
 */

/** A tab in the background may be let run once a minute only. */
export const LEASE_MS = 150_000;

/**
 * @typedef {Pick<MessagePort, 'postMessage'> & { onmessage: ((event: any) => void) | null }} Port
 * @typedef {{ live: boolean, missed?: true } | import('./event_parser.js').StreamEvent} ToTab
 */

export class EventHub {
  #stream;
  #now;
  /** When each was last heard. @type {Map<Port, number>} */
  #tabs = new Map();

  /** @param {import('./event_stream.js').EventStream} stream @param {() => number} [now] */
  constructor(stream, now = () => performance.now()) {
    this.#stream = stream;
    this.#now = now;
    stream.on('live', (live) => this.#tell({ live }));
    stream.on('event', (event) => this.#tell(event));
  }

  /** @param {Port} port */
  attach(port) {
    port.onmessage = ({ data }) => (data === 'bye' ? this.#drop(port) : this.#here(port));
  }

  /** @param {Port} port */
  #here(port) {
    const missed = !this.#tabs.has(port);
    this.#tabs.set(port, this.#now());
    port.postMessage({ live: this.#stream.live, ...(missed && { missed }) });
    this.#stream.open();
  }

  /** @param {Port} port */
  #drop(port) {
    this.#tabs.delete(port);
    if (this.#tabs.size === 0) this.#stream.close();
  }

  /** @param {ToTab} message */
  #tell(message) {
    for (const [port, heard] of this.#tabs) {
      if (this.#now() - heard > LEASE_MS) this.#drop(port);
      else port.postMessage(message);
    }
  }
}
