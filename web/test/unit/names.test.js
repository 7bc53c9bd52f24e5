import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import { InvalidName, compareNames, isPolite, parseName } from '../../js/names.js';

/** @type {{ what: string, name: string, nfc?: string, refused?: string, character?: string }[]} */
const CASES = JSON.parse(await readFile(new URL('../../../protocol/fixtures/names.json', import.meta.url), 'utf8'));

test('what is a name, and what is none', () => {
  for (const { what, name, nfc, refused, character } of CASES) {
    if (refused === undefined) {
      assert.equal(parseName(name), nfc ?? name, what);
    } else {
      const wrong = (/** @type {unknown} */ error) =>
        error instanceof InvalidName && error.problem === refused && error.character === character;
      assert.throws(() => parseName(name), wrong, what);
    }
  }
});

test('a lone surrogate is no character', () => {
  assert.throws(() => parseName('a\ud800'), { problem: 'character', character: 'U+D800' });
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
