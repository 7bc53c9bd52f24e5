/** Messages in a stream of bytes: each begins with a number, twice its length and one more when it is a text. */
import { Bytes } from './bytes.js';
import { MESSAGE_BYTES } from './limits.js';
import { Reader, Writer, encode } from './wire.js';

/**
 * The bytes to write: all in one write, so that no other message comes between them.
 * @param {string | Uint8Array} message
 */
export function messageBytes(message) {
  const text = typeof message === 'string';
  const bytes = text ? encode(message) : message;
  const out = new Writer();
  out.number(bytes.length * 2 + Number(text));
  out.raw(bytes);
  return out.done();
}

/** Makes messages of what is read. It holds what the last read brought, and one message at most beside it. */
export class Messages {
  #bytes = new Bytes();

  /** @param {Uint8Array} bytes what was read */
  push(bytes) {
    this.#bytes.push(bytes);
  }

  /**
   * The next whole message; null: there is none yet. Throws a `RangeError` or a `TypeError` when what follows is none: the
   * stream is of no use any more.
   * @returns {string | Uint8Array | null}
   */
  take() {
    const head = this.#bytes.copy(0, 8);
    const size = head.length === 0 ? 8 : 1 << (Number(head[0]) >> 6);
    if (head.length < size) return null;
    const number = headNumber(head.subarray(0, size));
    const length = Math.floor(number / 2);
    if (length > MESSAGE_BYTES) throw new RangeError('a message is too long');
    if (this.#bytes.length < size + length) return null;
    this.#bytes.skip(size);
    const bytes = this.#bytes.take(length);
    return number % 2 === 0 ? bytes : new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  }
}

/** @param {Uint8Array} head */
function headNumber(head) {
  try {
    return new Reader(head).number();
  } catch {
    return Infinity;
  }
}
