/** A socket whose other end is the test. */
export class FakeSocket {
  readyState = 0;
  /** The code that this side closed with. @type {number | undefined} */
  closed;
  /** @type {string[]} */
  sent = [];
  /** @type {((event: any) => void) | null} */
  onopen = null;
  /** @type {((event: any) => void) | null} */
  onmessage = null;
  /** @type {((event: any) => void) | null} */
  onclose = null;
  /** @param {any} text */
  send(text) {
    this.sent.push(String(text));
  }
  /** @param {number} [code] */
  close(code) {
    this.closed = code;
    this.readyState = 3;
  }
  accept() {
    this.readyState = 1;
    this.onopen?.({});
  }
  /** What was sent, read. @returns {any[]} */
  get messages() {
    return this.sent.map((text) => JSON.parse(text));
  }
  /** @param {string} data */
  say(data) {
    this.onmessage?.({ data });
  }
  /** @param {number} code @param {string} [reason] */
  end(code, reason = '') {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }
}
