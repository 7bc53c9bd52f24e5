import assert from 'node:assert/strict';
import { test } from 'node:test';

import { EventParser } from '../../js/event_parser.js';

const STREAM = [
  'retry: 2000\nid: e-1\n: the changes of items\n\n',
  'event: created\r\nid: e-2\r\ndata: {"id":1}\r\n\r\n',
  ':\n\n',
  'event: x\rdata:a\rdata: b\rdata\r\r',
  'id: with\0nul\nretry: soon\nunknown: 1\ndata: 1\n\n',
  'event: nothing to tell\nid: e-3\n\n',
  'event: unfinished\nid: e-4\ndata: 1\n',
].join('');
const EVENTS = [
  { name: 'created', data: '{"id":1}' },
  { name: 'x', data: 'a\nb\n' },
  { name: 'message', data: '1' },
];

test('reads events wherever the text is cut', () => {
  for (let size = 1; size <= STREAM.length; size += 1) {
    const parser = new EventParser();
    const events = [];
    for (let at = 0; at < STREAM.length; at += size) events.push(...parser.push(STREAM.slice(at, at + size)));
    assert.deepEqual(events, EVENTS, `in parts of ${size}`);
    assert.equal(parser.lastId, 'e-3', 'the id of what is not whole yet does not count');
    assert.equal(parser.retryMs, 2000);
  }
});

test('what a broken stream left half said is forgotten', () => {
  const parser = new EventParser();
  parser.push('id: 1\ndata: whole\n\nevent: half\nid: 2\ndata: ha');
  parser.restart();
  assert.deepEqual(parser.push('data: new\n\n'), [{ name: 'message', data: 'new' }]);
  assert.equal(parser.lastId, '1');
});
