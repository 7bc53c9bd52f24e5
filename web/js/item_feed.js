/**
 * The changes of items, for this page. One shared worker reads them for all tabs of the browser; where there is none (an old
 * browser, a worker that can't be loaded or does not answer), the page reads a stream of its own, while it can be seen.
 */
import { Emitter } from './emitter.js';
import { EventStream } from './event_stream.js';
import { HOME } from './home.js';

export const HERE_MS = 20_000;
/** So long the worker may take to answer; the first time it has to be loaded. */
export const ANSWER_MS = 10_000;
/** Another name when tab and worker say other things to each other: the worker of an old page may still be there. */
const NAME = 'grtc-item-events-3';

/**
 * @typedef {Pick<SharedWorker, 'port' | 'onerror'>} Worker
 * @typedef {{ live: boolean, missed: null, event: import('./event_parser.js').StreamEvent, refused: string }} FeedEvents
 *   `missed`: there were changes that nobody will tell; `refused`: the server gives none, for this reason
 */

/** @extends {Emitter<FeedEvents>} */
export class ItemFeed extends Emitter {
  #live = false;
  /** @type {string | null} */
  #token = null;
  #createWorker;
  #createStream;
  /** @type {MessagePort | null} */
  #port = null;
  /** @type {EventStream | null} */
  #own = null;
  /** Workers in a row that did not answer. */
  #silent = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #hereTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #deadline;

  /** @param {{ createWorker?: () => Worker, createStream?: (token: string | null) => EventStream }} [options] */
  constructor({ createWorker = sharedWorker, createStream = ownStream } = {}) {
    super();
    this.#createWorker = createWorker;
    this.#createStream = createStream;
  }

  /** Follows the changes, from now on. */
  open() {
    if (this.#port || this.#own) return;
    try {
      this.#share();
    } catch {
      this.#readAlone();
    }
  }

  /** Follows them with another token, or with none. @param {string | null} token */
  use(token) {
    if (token === this.#token) return;
    this.#token = token;
    if (this.#port) this.#here();
    if (!this.#own) return;
    this.#own.close();
    this.#readAlone();
    // With other rights there may be more to be seen.
    this.emit('missed', null);
  }

  /** The page goes away, perhaps to come back. */
  close() {
    this.#port?.postMessage('bye');
    this.#unshare();
    document.removeEventListener('visibilitychange', this.#whileSeen);
    this.#own?.close();
    this.#own = null;
    this.#setLive(false);
  }

  #share() {
    const worker = this.#createWorker();
    const { port } = worker;
    this.#port = port;
    worker.onerror = () => {
      if (this.#port !== port) return;
      this.#unshare();
      this.#readAlone();
    };
    port.onmessage = ({ data }) => this.#told(data);
    this.#here();
    this.#hereTimer = setInterval(() => this.#here(), HERE_MS);
  }

  #here() {
    this.#port?.postMessage({ here: this.#token });
    this.#deadline ??= setTimeout(() => this.#noAnswer(), ANSWER_MS);
  }

  /** @param {import('./event_hub.js').ToTab} message */
  #told(message) {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
    this.#silent = 0;
    if ('name' in message) return this.emit('event', message);
    this.#setLive(message.live);
    // What was refused to the token before says nothing of this one.
    if (message.refused && message.token === this.#token) this.emit('refused', message.refused);
    if (message.missed) this.emit('missed', null);
  }

  /** A worker that died is made anew; one that hangs is left alone. */
  #noAnswer() {
    this.#silent += 1;
    this.#unshare();
    this.#setLive(false);
    if (this.#silent > 1) this.#readAlone();
    else this.open();
  }

  #unshare() {
    clearInterval(this.#hereTimer);
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
    if (!this.#port) return;
    this.#port.onmessage = null;
    this.#port.close();
    this.#port = null;
  }

  #readAlone() {
    const own = this.#createStream(this.#token);
    this.#own = own;
    own.on('live', (live) => this.#own === own && this.#setLive(live));
    own.on('event', (event) => this.emit('event', event));
    own.on('refused', (refused) => this.#own === own && this.emit('refused', refused));
    document.addEventListener('visibilitychange', this.#whileSeen);
    this.#whileSeen();
  }

  /** Many tabs with a stream each would leave none of them a connection: those that nobody sees have none. */
  #whileSeen = () => {
    if (document.hidden) this.#own?.close();
    else this.#own?.open();
  };

  /** @param {boolean} live */
  #setLive(live) {
    if (this.#live === live) return;
    this.#live = live;
    this.emit('live', live);
  }
}

function sharedWorker() {
  return new SharedWorker(new URL('./events_worker.js', import.meta.url), { type: 'module', name: NAME });
}

/** @param {string | null} token */
function ownStream(token) {
  return new EventStream(new URL('api/items/events', HOME).href, undefined, undefined, token);
}
