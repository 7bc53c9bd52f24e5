/** What a pair makes of another side that does other things than to send messages. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Delivery } from '../../js/delivery.js';
import { Session, messageBytes } from '../../js/streams.js';

/** A delivery, and a session that the test has in its hand; `go` carries what each has to say. */
function pair() {
  /** @type {unknown[]} */
  const told = [];
  const events = {
    message: (/** @type {string} */ text) => void told.push(text),
    linked: (/** @type {boolean} */ restarted) => void told.push({ restarted }),
    ended: (/** @type {string} */ reason, /** @type {boolean} */ closed) => void told.push({ reason, closed }),
  };
  const delivery = new Delivery(events, () => 0);
  let other = new Session('00000000000000ff');
  /** @type {Uint8Array[]} */
  const frames = [];
  const link = { takesFrames: true, sendFrames: (/** @type {Uint8Array} */ bytes) => void frames.push(bytes) };
  /** @type {import('../../js/streams/io.js').Output[]} */
  const outputs = [];
  const go = () => {
    for (let i = 0; i < 10; i += 1) {
      for (let bytes = other.pollTransmit(); bytes; bytes = other.pollTransmit()) delivery.receive(bytes);
      for (const bytes of frames.splice(0)) other.receive(bytes);
    }
    for (let output = other.pollOutput(); output; output = other.pollOutput()) outputs.push(output);
  };
  const connect = (session = other) => {
    other = session;
    other.connected();
    delivery.connected(link);
    go();
  };
  connect();
  return { delivery, other, told, outputs, go, connect };
}

/** @param {{ ok: number } | { error: string }} result */
const ok = (result) => ('ok' in result ? result.ok : assert.fail(result.error));

test('a stream of another kind is refused, and the pair goes on', () => {
  const { delivery, other, told, outputs, go } = pair();
  const stream = ok(other.open('port'));
  other.send(0, stream, messageBytes('for nobody'));
  go();
  assert.deepEqual(told, [{ restarted: false }]);
  const why = { stream, code: 2, reason: 'nobody here knows such a stream' };
  assert.deepEqual(outputs.slice(1), [{ opened: { stream: 1, label: 'chat' } }, { stopped: why }, { reset: why }]);
  const chat = ok(other.open('chat'));
  other.send(0, chat, messageBytes('for somebody'));
  go();
  assert.equal(told[1], 'for somebody');
  delivery.abandon('over');
});

test('what is no message ends its stream, not what came before it', () => {
  const { delivery, other, told, outputs, go } = pair();
  const chat = ok(other.open('chat'));
  const bytes = Uint8Array.of(...messageBytes('good'), 0x03, 0xff);
  other.send(0, chat, bytes);
  go();
  assert.equal(told[1], 'good');
  const stopped = { stopped: { stream: chat, code: 2, reason: 'what came is no message' } };
  assert.ok(outputs.some((output) => JSON.stringify(output) === JSON.stringify(stopped)));
  other.send(0, ok(other.open('chat')), messageBytes('on another'));
  go();
  assert.equal(told[2], 'on another');
  delivery.abandon('over');
});

test('who stops the stream that this side writes to is not waited for, and the next message opens another', async () => {
  const { delivery, other, outputs, go } = pair();
  const refused = assert.rejects(delivery.send('one'), /no more/);
  go();
  const opened = outputs.flatMap((output) => ('opened' in output ? [output.opened.stream] : []));
  other.stop(Number(opened[0]), 7, 'no more');
  go();
  await refused;
  const sent = delivery.send('two');
  go();
  const second = outputs.flatMap((output) => ('opened' in output ? [output.opened.stream] : []))[1];
  assert.ok(other.read(0, Number(second)));
  go();
  assert.equal(await sent, 'delivered');
});

test('an end is told, with whether it was meant, and the next connection begins anew', async () => {
  const { delivery, other, told } = pair();
  const lost = assert.rejects(delivery.send('never had'), /bye/);
  other.close('bye');
  delivery.receive(/** @type {Uint8Array} */ (other.pollTransmit()));
  await lost;
  assert.deepEqual(told.at(-1), { reason: 'bye', closed: true });
  const breached = pair();
  breached.delivery.receive(Uint8Array.of(99));
  assert.deepEqual(breached.told.at(-1), { reason: 'a frame of no known kind', closed: false });
  breached.go();
  assert.deepEqual(breached.outputs.at(-1), { ended: { code: 1, reason: 'a frame of no known kind' } });
  breached.delivery.disconnected();
  breached.connect(new Session('00000000000000fe'));
  assert.deepEqual(breached.told.at(-1), { restarted: false });
});

test('only so many messages wait for room', async () => {
  const delivery = new Delivery({ message() {}, linked() {}, ended() {} }, () => 0);
  const sends = Array.from({ length: 300 }, () => delivery.send('x'.repeat(70_000)));
  const results = Promise.allSettled(sends);
  delivery.abandon('over');
  const reasons = (await results).map((result) => (result.status === 'rejected' ? result.reason.message : 'sent'));
  assert.equal(reasons.filter((reason) => reason === 'over').length, 257);
  assert.equal(reasons.at(-1), 'too much is waiting to be sent');
});
