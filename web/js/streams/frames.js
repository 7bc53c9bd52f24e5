/** The frames, as bytes and as values. A message of a connection is one or several of them. */
import { Breach, CODE, beyond, malformed } from './io.js';
import { FRAMES_BYTES, LABEL_BYTES, PIECE_BYTES, REASON_BYTES, STREAMS, VERSION } from './limits.js';
import { Reader, fromHex, toHex } from './wire.js';

/**
 * @typedef {import('./io.js').StreamId} StreamId
 * @typedef {import('./wire.js').Writer} Writer
 */
/**
 * What a side has of a stream, named as it names it.
 * @typedef {{ stream: StreamId, received: number, taken: number, limit: number, finished: boolean, done: boolean }} StreamState
 */
/**
 * Who speaks (16 hexadecimal digits), whom it knows, the number after that of the last stream that it has seen opened by
 * the other side, and what it has of each that it has not done with.
 * @typedef {{ session: string, known: string, next: number, streams: StreamState[] }} Hello
 */
/**
 * A frame of a stream.
 * @typedef {{ kind: 'open', stream: StreamId, label: string }
 *   | { kind: 'data', stream: StreamId, position: number, bytes: Uint8Array }
 *   | { kind: 'finish', stream: StreamId }
 *   | { kind: 'reset' | 'stop', stream: StreamId, code: number, reason: string }
 *   | { kind: 'taken', stream: StreamId, taken: number, limit: number }
 *   | { kind: 'done', stream: StreamId }} StreamFrame
 */
/** @typedef {StreamFrame | { kind: 'hello', hello: Hello } | { kind: 'end', code: number, reason: string }} Frame */

const KIND = { hello: 1, open: 2, data: 3, finish: 4, reset: 5, stop: 6, taken: 7, done: 8, end: 9 };

/**
 * Writes a frame after those before it.
 * @param {Writer} out
 * @param {Frame} frame
 */
export function put(out, frame) {
  out.byte(KIND[frame.kind]);
  if (frame.kind === 'hello') return putHello(out, frame.hello);
  if (frame.kind !== 'end') out.number(frame.stream);
  if (frame.kind === 'open') out.text(frame.label);
  if (frame.kind === 'data') {
    out.number(frame.position);
    out.bytes(frame.bytes);
  }
  if (frame.kind === 'reset' || frame.kind === 'stop' || frame.kind === 'end') {
    out.number(frame.code);
    out.text(frame.reason);
  }
  if (frame.kind === 'taken') {
    out.number(frame.taken);
    out.number(frame.limit);
  }
}

/** @param {Writer} out @param {Hello} hello */
function putHello(out, hello) {
  out.byte(VERSION);
  out.raw(fromHex(hello.session));
  out.raw(fromHex(hello.known));
  out.number(hello.next);
  out.number(hello.streams.length);
  for (const { stream, received, taken, limit, finished, done } of hello.streams) {
    for (const number of [stream, received, taken, limit]) out.number(number);
    out.byte(Number(finished) + 2 * Number(done));
  }
}

/**
 * The frames of a message, one after the other, up to the first that is none: that one throws.
 * @param {Uint8Array} message
 * @returns {Generator<Frame>}
 */
export function* framesOf(message) {
  if (message.length > FRAMES_BYTES) throw beyond('a message is too long');
  const reader = new Reader(message);
  while (reader.left > 0) yield read(reader);
}

/** @param {Reader} reader @returns {Frame} */
function read(reader) {
  const kind = reader.byte();
  if (kind === KIND.hello) return { kind: 'hello', hello: readHello(reader) };
  if (kind === KIND.end) return { kind: 'end', code: reader.number(), reason: reader.text(REASON_BYTES) };
  if (kind === 0 || kind > KIND.end) throw malformed('a frame of no known kind');
  const stream = reader.number();
  switch (kind) {
    case KIND.open:
      return { kind: 'open', stream, label: reader.text(LABEL_BYTES) };
    case KIND.data:
      return readData(reader, stream);
    case KIND.finish:
      return { kind: 'finish', stream };
    case KIND.reset:
      return { kind: 'reset', stream, code: reader.number(), reason: reader.text(REASON_BYTES) };
    case KIND.stop:
      return { kind: 'stop', stream, code: reader.number(), reason: reader.text(REASON_BYTES) };
    case KIND.taken:
      return { kind: 'taken', stream, taken: reader.number(), limit: reader.number() };
    default:
      return { kind: 'done', stream };
  }
}

/** @param {Reader} reader @param {StreamId} stream @returns {Frame} */
function readData(reader, stream) {
  const [position, bytes] = [reader.number(), reader.bytes()];
  if (bytes.length === 0 || bytes.length > PIECE_BYTES) throw malformed('a piece of no possible length');
  return { kind: 'data', stream, position, bytes };
}

/** @param {Reader} reader @returns {Hello} */
function readHello(reader) {
  if (reader.byte() !== VERSION) throw new Breach(CODE.VERSION, 'the version of the streams is another one');
  const [session, known] = [toHex(reader.take(8)), toHex(reader.take(8))];
  const [next, count] = [reader.number(), reader.number()];
  if (count > 2 * STREAMS) throw beyond('too many streams');
  return { session, known, next, streams: Array.from({ length: count }, () => readState(reader)) };
}

/** @param {Reader} reader @returns {StreamState} */
function readState(reader) {
  const [stream, received] = [reader.number(), reader.number()];
  const [taken, limit, flags] = [reader.number(), reader.number(), reader.byte()];
  if (flags > 3) throw malformed('a flag that is none');
  return { stream, received, taken, limit, finished: (flags & 1) !== 0, done: (flags & 2) !== 0 };
}
