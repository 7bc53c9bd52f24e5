import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { AdminApi } from '../../js/admin/admin_api.js';
import { Watch } from '../../js/admin/watch.js';
import { GuardedServer, problem } from './guarded_server.js';

const server = new GuardedServer();
before(() => server.start());
after(() => server.stop());

const PEER = {
  peer_id: 'a',
  sub: 'ana',
  joined_at: '2026-01-02T03:04:05Z',
  away: true,
  messages_in: 1,
  messages_out: 2,
  bytes_in: 3,
  bytes_out: 4,
  queued_bytes: 5,
};
/** @type {Record<string, unknown>} */
const ANSWERS = {
  '/api/admin/rooms': { rooms: [{ room_id: 'r 1', peers: 2 }], total: 1 },
  '/api/admin/rooms/r%201': { room_id: 'r 1', peers: [PEER], total: 1 },
  '/api/admin/audit?limit=50': { entries: [{ who: 'root', what: 'kick', whom: 'a', when: '2026-01-02T03:04:05Z' }] },
  '/health/ready': { status: 'ready' },
};

beforeEach(() => {
  server.asked = [];
  server.refuses = () => null;
  server.answer = ({ method, url }) =>
    method === 'GET' && url in ANSWERS ? { status: 200, body: ANSWERS[url] } : { status: 204 };
});

const api = () => new AdminApi({ base: server.url, fetcher: fetch, random: () => 0 });

test('reads rooms, peers and the audit', async () => {
  assert.deepEqual(await api().rooms(), [{ id: 'r 1', peers: 2 }]);
  const counts = { messagesIn: 1, messagesOut: 2, bytesIn: 3, bytesOut: 4, queuedBytes: 5 };
  const peer = { id: 'a', sub: 'ana', joinedAt: '2026-01-02T03:04:05Z', away: true, ...counts };
  assert.deepEqual(await api().peers('r 1'), [peer]);
  const entry = { who: 'root', what: 'kick', whom: 'a', when: '2026-01-02T03:04:05Z' };
  assert.deepEqual(await api().audit(50), [entry]);
});

test('names stand in addresses as they are, whatever they are', async () => {
  await api().kick('team/1?', 'ü&x', '10m');
  await api().kick('r', 'a', '');
  await api().close('r#1');
  await api().revoke('sub', 'ana');
  await api().revoke('jti', '7');
  await api().drain();
  assert.deepEqual(
    server.asked.map(({ method, url, body }) => `${method} ${url} ${body}`.trim()),
    [
      'DELETE /api/admin/rooms/team%2F1%3F/peers/%C3%BC%26x?ban=10m',
      'DELETE /api/admin/rooms/r/peers/a',
      'DELETE /api/admin/rooms/r%231',
      'POST /api/admin/revocations {"sub":"ana"}',
      'POST /api/admin/revocations {"jti":"7"}',
      'POST /api/admin/drain',
    ],
  );
});

test('who is gone already need not be sent away, and a room that is gone has nobody', async () => {
  server.answer = () => problem(404, 'not_found');
  await api().kick('r', 'a', '');
  await api().close('r');
  assert.deepEqual(await api().peers('r'), []);
  await assert.rejects(api().revoke('sub', 'ana'), { code: 'not_found' });
});

test('an answer without what it should have is an error, and no empty list', async () => {
  server.answer = () => ({ status: 200, body: {} });
  await assert.rejects(api().rooms(), { code: 'bad_answer' });
});

test('a watch sees all of it, and the peers of the room that was chosen', async () => {
  const watch = new Watch(api());
  await watch.refresh();
  assert.deepEqual([watch.seen?.rooms.length, watch.seen?.peers, watch.seen?.ready], [1, [], true]);
  await watch.choose('r 1');
  assert.equal(watch.seen?.peers[0]?.id, 'a');
  assert.ok(!server.asked.some(({ method }) => method !== 'GET'));
});

test('a server that drains is seen to, and one that refuses is not asked again', async (t) => {
  server.answer = ({ url }) =>
    url === '/health/ready' ? problem(503, 'draining') : { status: 200, body: ANSWERS[url] };
  const watch = new Watch(api());
  await watch.refresh();
  assert.deepEqual([watch.seen?.ready, watch.seen?.detail], [false, 'the server says draining']);

  server.refuses = () => 'not_allowed';
  t.mock.timers.enable({ apis: ['setTimeout'] });
  await watch.start();
  assert.equal(watch.error?.code, 'not_allowed');
  assert.equal(watch.seen?.rooms.length, 1, 'what was seen stays, and is said to be of before');
  const before = server.asked.length;
  t.mock.timers.tick(600_000);
  assert.equal(server.asked.length, before);
  server.refuses = () => null;
  await watch.refresh();
  assert.equal(watch.error, null);
  watch.stop();
});
