import assert from 'node:assert/strict';
import { test } from 'node:test';

import { PairReports } from '../../js/pair_reports.js';

const PATH = { local: 'host', remote: 'srflx', protocol: 'udp', rttMs: 1, bytesSent: 0, bytesReceived: 0 };

function reports() {
  const clock = { now: 0 };
  /** @type {any[]} */
  const sent = [];
  const all = new PairReports({ send: (report) => sent.push(report), path: async () => PATH, now: () => clock.now });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { all, sent, clock, settle };
}

test('one report for each outcome, however often its connection is replaced', async () => {
  const { all, sent, clock, settle } = reports();
  all.begin('b');
  all.changed('b', 'connecting');
  clock.now = 250;
  all.changed('b', 'open');
  await settle();
  for (const state of /** @type {const} */ (['interrupted', 'open', 'rebuilding', 'open'])) all.changed('b', state);
  await settle();
  const pair = { local: 'host', remote: 'srflx', protocol: 'udp' };
  const connected = { type: 'report', peer_id: 'b', result: 'connected', pair, timings_ms: { total: 250 } };
  assert.deepEqual(sent, [connected]);
  all.changed('b', 'failed');
  clock.now = 1_000;
  all.changed('b', 'rebuilding');
  clock.now = 1_100;
  all.changed('b', 'open');
  await settle();
  assert.deepEqual(sent.slice(1), [
    { type: 'report', peer_id: 'b', result: 'failed' },
    { ...connected, timings_ms: { total: 100 } },
  ]);
});

test('a server that knows nothing of reports gets no more, and one that is found later does', () => {
  const { all, sent } = reports();
  all.begin('b');
  all.changed('b', 'failed');
  assert.equal(all.unknown(), true);
  assert.equal(all.unknown(), false, 'another word that it does not know is no report');
  all.begin('c');
  all.changed('c', 'failed');
  assert.equal(sent.length, 1);
  all.again();
  all.begin('c');
  all.changed('c', 'failed');
  assert.equal(sent.length, 2);
});
