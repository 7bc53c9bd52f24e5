/** The golden traces that the session in Rust replays as well. */
import assert from 'node:assert/strict';

import { Session } from '../../js/streams.js';
import { fromHex, toHex } from '../../js/streams/wire.js';
import { replay } from './golden.js';

/** `04ff:3` is `04ff000000`. @param {string} text */
function bytesOf(text) {
  const [hex = '', zeros = '0'] = text.split(':');
  return Uint8Array.from([...fromHex(hex), ...new Uint8Array(Number(zeros))]);
}

/** The bytes, or of many the first, how many more there are, and a sum of all (FNV-1a). @param {Uint8Array} bytes */
function shown(bytes) {
  if (bytes.length <= 64) return toHex(bytes);
  const sum = bytes.reduce((sum, byte) => Math.imul(sum ^ byte, 0x01000193) >>> 0, 0x811c9dc5);
  return `${toHex(bytes.subarray(0, 24))}+${bytes.length - 24}:${sum.toString(16).padStart(8, '0')}`;
}

/** @param {string | number} data a text, or so many bytes */
function dataOf(data) {
  return typeof data === 'string'
    ? new TextEncoder().encode(data)
    : Uint8Array.from({ length: data }, (_, i) => i % 251);
}

/** @template T @param {() => T | null} poll */
function all(poll) {
  const found = [];
  for (let next = poll(); next !== null; next = poll()) found.push(next);
  return found;
}

/** @param {Session} session @param {number} now @param {any} action */
function act(session, now, action) {
  if (action === 'connected') return session.connected();
  if (action === 'disconnected') return session.disconnected();
  if (action === 'timeout') return session.handleTimeout(now);
  if (action === 'read_datagram') {
    const datagram = session.readDatagram();
    return datagram && [datagram[0], shown(datagram[1])];
  }
  const [[verb, given]] = /** @type {[[string, any]]} */ (Object.entries(action));
  if (verb === 'open') return session.open(given);
  if (verb === 'close') return session.close(given);
  if (verb === 'receive') return session.receive(bytesOf(given));
  if (verb === 'receive_datagram') return session.receiveDatagram(bytesOf(given));
  if (verb === 'write') return session.send(now, given.stream, dataOf(given.data));
  if (verb === 'send_datagram') return session.sendDatagram(given.stream, dataOf(given.data));
  if (verb === 'finish') return session.finish(given.stream);
  if (verb === 'reset') return session.reset(given.stream, given.code, given.reason);
  if (verb === 'stop') return session.stop(given.stream, given.code, given.reason);
  assert.equal(verb, 'read');
  const read = session.read(now, given.stream, given.most);
  return read instanceof Uint8Array ? { bytes: shown(read) } : read;
}

/** A step without what is empty. @param {object} step */
const written = (step) =>
  Object.fromEntries(
    Object.entries(step).filter(([, value]) => value !== null && value !== undefined && value.length !== 0),
  );

replay('streams', 16, (trace) => {
  const session = new Session(trace.session);
  return trace.steps.map((/** @type {any} */ step) => {
    const gives = act(session, step.now, step.do);
    const outputs = all(() => session.pollOutput());
    const sends = step.full ? [] : all(() => session.pollTransmit()).map(shown);
    const datagrams = step.full ? [] : all(() => session.pollDatagram()).map(shown);
    const timeout = session.pollTimeout();
    return written({ now: step.now, do: step.do, full: step.full, gives, outputs, sends, datagrams, timeout });
  });
});
