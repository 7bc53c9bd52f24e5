import assert from 'node:assert/strict';
import { test } from 'node:test';

import { pathStats } from '../../js/rtc.js';

const pair = {
  id: 'P',
  type: 'candidate-pair',
  state: 'succeeded',
  nominated: true,
  localCandidateId: 'L',
  remoteCandidateId: 'R',
  currentRoundTripTime: 0.0123,
  bytesSent: 10,
  bytesReceived: 20,
};
const local = { id: 'L', type: 'local-candidate', candidateType: 'relay', protocol: 'udp', relayProtocol: 'tcp' };
const remote = { id: 'R', type: 'remote-candidate', candidateType: 'srflx', protocol: 'udp' };
const transport = { id: 'T', type: 'transport', selectedCandidatePairId: 'P' };

/** @param {...any} stats */
const report = (...stats) => /** @type {any} */ (new Map(stats.map((entry) => [entry.id, entry])));

test('the chosen path, as one browser tells it and as another does', () => {
  const path = { local: 'relay', remote: 'srflx', protocol: 'tcp', rttMs: 12.3, bytesSent: 10, bytesReceived: 20 };
  assert.deepEqual(pathStats(report(transport, pair, local, remote)), path);
  assert.deepEqual(pathStats(report({ ...pair, id: 'X', nominated: false }, pair, local, remote)), path);
});

test('no path yet', () => {
  assert.equal(pathStats(report({ ...pair, state: 'in-progress' }, local)), null);
  assert.equal(pathStats(report()), null);
});

test('a path with little known of it', () => {
  const stats = pathStats(report({ ...pair, currentRoundTripTime: undefined }));
  assert.equal(stats?.rttMs, null);
  assert.equal(stats?.local, 'unknown');
});
