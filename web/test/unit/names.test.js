import assert from 'node:assert/strict';
import { test } from 'node:test';

import { InvalidName, compareNames, isPolite, parseName } from '../../js/names.js';

test('takes ordinary names as they are', () => {
  for (const name of ['a', 'client A', 'sala-1', '日本語', 'ñandú', '…', 'x.y', '%2F', '👩']) {
    assert.equal(parseName(name), name);
  }
});

test('takes NFD as its NFC', () => assert.equal(parseName('e\u0301'), 'é'));

test('refuses what could be mistaken for something else', () => {
  for (const [name, problem, character] of /** @type {[string, string, string?][]} */ ([
    ['', 'empty'],
    ['.', 'dots'],
    ['..', 'dots'],
    ['a/b', 'character', 'U+002F'],
    ['a\nb', 'character', 'U+000A'],
    ['\u001b]0;x', 'character', 'U+001B'],
    ['a\u0000', 'character', 'U+0000'],
    ['\u0085', 'character', 'U+0085'],
    ['a\u202eb', 'character', 'U+202E'],
    ['a\u200bb', 'character', 'U+200B'],
    ['\u2028', 'character', 'U+2028'],
    ['\u0378', 'character', 'U+0378'],
    ['a\ud800', 'character', 'U+D800'],
    ['x'.repeat(65), 'too_long'],
  ])) {
    const wrong = (/** @type {unknown} */ error) =>
      error instanceof InvalidName && error.problem === problem && error.character === character;
    assert.throws(() => parseName(name), wrong, JSON.stringify(name));
  }
});

test('counts code points, after NFC', () => {
  assert.equal([...parseName('👩'.repeat(64))].length, 64);
  assert.equal([...parseName('e\u0301'.repeat(64))].length, 64);
  assert.throws(() => parseName('é'.repeat(65)), InvalidName);
});

test('orders by code point, not by UTF-16 unit', () => {
  assert.ok('😀' < 'ｚ', 'what the language itself says');
  assert.ok(compareNames('😀', 'ｚ') > 0);
  assert.ok(compareNames('a', 'ab') < 0);
  assert.equal(compareNames('a', 'a'), 0);
  assert.ok(isPolite('b', 'a'));
  assert.ok(!isPolite('a', 'b'));
});
