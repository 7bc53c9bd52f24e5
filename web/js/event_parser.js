/** `text/event-stream`, as the HTML standard reads it (9.2.6), comments included: they show that the stream lives. */

/** @typedef {{ name: string, data: string }} StreamEvent */

export class EventParser {
  /** The id of the last event: where to go on after the stream broke. */
  lastId = '';
  /** How long the server wants a client to wait before it comes back. @type {number | null} */
  retryMs = null;
  #rest = '';
  #id = '';
  #name = '';
  /** @type {string[]} */
  #data = [];
  #afterReturn = false;

  /** The text so far goes on with this. @param {string} text @returns {StreamEvent[]} what is complete now */
  push(text) {
    // A line feed that ends a CR LF of which the CR came before.
    const more = this.#afterReturn && text.startsWith('\n') ? text.slice(1) : text;
    if (text !== '') this.#afterReturn = text.endsWith('\r');
    const lines = (this.#rest + more).split(/\r\n|\r|\n/);
    this.#rest = lines.pop() ?? '';
    return lines.flatMap((line) => this.#line(line) ?? []);
  }

  /** Another stream begins where this one broke off. */
  restart() {
    this.#rest = this.#name = '';
    this.#id = this.lastId;
    this.#data = [];
    this.#afterReturn = false;
  }

  /** @param {string} line @returns {StreamEvent | null} */
  #line(line) {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#name = value;
    else if (field === 'data') this.#data.push(value);
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    else if (field === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value);
    return null;
  }

  #dispatch() {
    this.lastId = this.#id;
    const event = this.#data.length ? { name: this.#name || 'message', data: this.#data.join('\n') } : null;
    this.#name = '';
    this.#data = [];
    return event;
  }
}
