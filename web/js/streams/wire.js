/** Numbers and texts as they stand in a frame. A number is a variable-length integer of RFC 9000, section 16. */
import { beyond, malformed } from './io.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @param {string} text */
export const encode = (text) => encoder.encode(text);

/** The text, as far as it fits into so many bytes. @param {string} text @param {number} longest */
export function shortened(text, longest) {
  const bytes = encode(text);
  if (bytes.length <= longest) return decoder.decode(bytes);
  let end = longest;
  while ((Number(bytes[end]) & 0xc0) === 0x80) end -= 1;
  return decoder.decode(bytes.subarray(0, end));
}

export class Writer {
  #bytes = new Uint8Array(64);
  length = 0;

  /** @param {number} count @returns {number} where they begin */
  #room(count) {
    const begin = this.length;
    this.length += count;
    if (this.length > this.#bytes.length) {
      const grown = new Uint8Array(this.length * 2);
      grown.set(this.#bytes.subarray(0, begin));
      this.#bytes = grown;
    }
    return begin;
  }

  /** @param {number} byte */
  byte(byte) {
    const at = this.#room(1);
    this.#bytes[at] = byte;
  }

  /** @param {Uint8Array} bytes */
  raw(bytes) {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** In as few bytes as it takes. @param {number} number */
  number(number) {
    if (number < 0x40) return this.byte(number);
    const [count, mark] = number < 0x4000 ? [2, 0x40] : number < 2 ** 30 ? [4, 0x80] : [8, 0xc0];
    const at = this.#room(count);
    let rest = number;
    for (let i = count - 1; i >= 0; i -= 1) {
      this.#bytes[at + i] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    this.#bytes[at] = Number(this.#bytes[at]) | mark;
  }

  /** Bytes after their number. @param {Uint8Array} bytes */
  bytes(bytes) {
    this.number(bytes.length);
    this.raw(bytes);
  }

  /** @param {string} text */
  text(text) {
    this.bytes(encode(text));
  }

  /** What was written. */
  done() {
    return this.#bytes.slice(0, this.length);
  }
}

export class Reader {
  #bytes;
  #at = 0;

  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.#bytes = bytes;
  }

  get left() {
    return this.#bytes.length - this.#at;
  }

  /** @param {number} count */
  take(count) {
    if (count > this.left) throw malformed('a frame is cut');
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  byte() {
    return Number(this.take(1)[0]);
  }

  number() {
    const first = this.byte();
    let number = first & 0x3f;
    for (const byte of this.take((1 << (first >> 6)) - 1)) number = number * 256 + byte;
    if (number > Number.MAX_SAFE_INTEGER) throw malformed('a number is too great');
    return number;
  }

  /** Bytes after their number. */
  bytes() {
    return this.take(this.number());
  }

  /** A text of so many bytes at most. @param {number} longest */
  text(longest) {
    const bytes = this.bytes();
    if (bytes.length > longest) throw beyond('a text is too long');
    try {
      return decoder.decode(bytes);
    } catch {
      throw malformed('a text is no UTF-8');
    }
  }
}

/** @param {Uint8Array} bytes */
export const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** @param {string} hex */
export function fromHex(hex) {
  return Uint8Array.from(hex.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
}
