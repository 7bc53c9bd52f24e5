/** The golden traces that the session in Rust replays as well. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

import { Session } from '../../js/streams.js';
import { fromHex, toHex } from '../../js/streams/wire.js';

const folder = new URL('../../../protocol/fixtures/streams/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));

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

test('there are traces', () => assert.ok(files.length >= 16));

for (const file of files) {
  const trace = JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
  test(`streams, ${trace.name}: ${trace.why}`, () => {
    const session = new Session(trace.session);
    for (const [i, step] of trace.steps.entries()) {
      const at = `step ${i}: ${JSON.stringify(step.do)}`;
      assert.deepEqual(act(session, step.now, step.do) ?? null, step.gives ?? null, at);
      assert.deepEqual(
        all(() => session.pollOutput()),
        step.outputs ?? [],
        at,
      );
      const sends = step.full ? [] : all(() => session.pollTransmit()).map(shown);
      assert.deepEqual(sends, step.sends ?? [], at);
      const datagrams = step.full ? [] : all(() => session.pollDatagram()).map(shown);
      assert.deepEqual(datagrams, step.datagrams ?? [], at);
      assert.equal(session.pollTimeout(), step.timeout ?? null, at);
    }
  });
}
