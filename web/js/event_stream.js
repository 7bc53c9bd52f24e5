/**
 * A stream of events that comes back by itself. Not an `EventSource`: that one hides the server's keep-alive comments, and
 * so can't tell a quiet stream from a dead one.
 */
import { Emitter } from './emitter.js';
import { EventParser } from './event_parser.js';
import { REFUSALS } from './token.js';

/** The server says something at least every 15 s, and the network may take its time. After this the stream is dead. */
export const SILENCE_MS = 20_000;
/** How long to wait before coming back, unless the server says another time. */
export const RETRY_MS = 2_000;

/**
 * `live` is said when it changes: something was heard of the server, and not too long ago.
 * `refused`: this token may not have it, or one is needed: it is not asked for again.
 * @extends {Emitter<{ live: boolean, event: import('./event_parser.js').StreamEvent, refused: string }>}
 */
export class EventStream extends Emitter {
  live = false;
  /** Why the server gives nothing: the word for it. @type {string | null} */
  refusal = null;
  #url;
  #fetch;
  #random;
  #token;
  #parser = new EventParser();
  /** @type {AbortController | null} */
  #reading = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #silence;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;

  /** @param {string} url @param {typeof fetch} [fetcher] @param {() => number} [random] in [0, 1) @param {string | null} [token] */
  constructor(url, fetcher = (...request) => fetch(...request), random = Math.random, token = null) {
    super();
    this.#token = token;
    this.#url = url;
    this.#fetch = fetcher;
    this.#random = random;
  }

  open() {
    if (this.#reading || this.refusal !== null) return;
    clearTimeout(this.#retry);
    this.#reading = new AbortController();
    void this.#read(this.#reading);
  }

  close() {
    clearTimeout(this.#retry);
    this.#end();
  }

  /** @param {AbortController} reading */
  async #read(reading) {
    this.#parser.restart();
    this.#heard(reading, false);
    try {
      const { lastId } = this.#parser;
      /** @type {Record<string, string>} */
      const headers = lastId ? { 'Last-Event-ID': lastId } : {};
      if (this.#token !== null) headers.Authorization = `Bearer ${this.#token}`;
      const request = {
        headers: { Accept: 'text/event-stream', ...headers },
        cache: /** @type {const} */ ('no-store'),
      };
      const response = await this.#fetch(this.#url, { ...request, signal: reading.signal });
      if (await this.#isRefused(reading, response)) return;
      if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
      const text = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let part = await text.read(); !part.done; part = await text.read()) this.#heard(reading, true, part.value);
    } catch {
      // Refused, broken or silent: all the same, it is tried again.
    }
    this.#lost(reading);
  }

  /**
   * Whether it takes another token. Other refusals, such as a proxy's, may pass.
   * @param {AbortController} reading @param {Response} response
   */
  async #isRefused(reading, response) {
    if (response.status !== 401 && response.status !== 403) return false;
    const { code } = await response.json();
    if (!REFUSALS.includes(code)) return false;
    if (this.#reading !== reading) return true;
    this.refusal = code;
    this.#end();
    this.emit('refused', code);
    return true;
  }

  /** @param {AbortController} reading @param {boolean} live @param {string} [text] */
  #heard(reading, live, text = '') {
    if (this.#reading !== reading) return;
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#lost(reading), SILENCE_MS);
    if (live) this.#setLive(true);
    for (const event of this.#parser.push(text)) this.emit('event', event);
  }

  /** @param {AbortController} reading */
  #lost(reading) {
    if (this.#reading !== reading) return;
    this.#end();
    // Not all browsers of a restarted server at once.
    const wait = (this.#parser.retryMs ?? RETRY_MS) * (0.5 + this.#random());
    this.#retry = setTimeout(() => this.open(), wait);
  }

  #end() {
    clearTimeout(this.#silence);
    const reading = this.#reading;
    this.#reading = null;
    reading?.abort();
    this.#setLive(false);
  }

  /** @param {boolean} live */
  #setLive(live) {
    if (this.live === live) return;
    this.live = live;
    this.emit('live', live);
  }
}
