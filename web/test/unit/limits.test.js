/** The page's numbers are the server's. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

import { DESCRIPTION_CHARS, TITLE_CHARS } from '../../js/items.js';
import { CHANNEL_BYTES } from '../../js/message_limit.js';
import { INTERRUPTED_MS, REBUILDING_MS, STALLED_INTERRUPTED_MS, STALLED_OPEN_MS } from '../../js/liveness.js';
import { ABSENT_GRACE_MS } from '../../js/mesh.js';
import { MESSAGE_BYTES, METADATA_BYTES, NAME_CHARS } from '../../js/protocol.js';
import { UNDER_WAY } from '../../js/resume.js';

const repository = new URL('../../../', import.meta.url);
const RUST = ['protocol/src/limits.rs', 'server/src/limits.rs', 'peer/src/limits.rs']
  .map((path) => new URL(path, repository))
  .flatMap((file) => (existsSync(file) ? [readFileSync(file, 'utf8')] : []))
  .join('\n');

/** @param {string} name */
function inRust(name) {
  const found = new RegExp(`const ${name}: \\w+ = ([\\d_* ]+);`).exec(RUST)?.[1];
  assert.ok(found, `there is no ${name}`);
  return found.split('*').reduce((product, factor) => product * Number(factor.replaceAll('_', '').trim()), 1);
}

test('the numbers of names, messages and items', () => {
  const numbers = { NAME_CHARS, MESSAGE_BYTES, METADATA_BYTES, TITLE_CHARS, DESCRIPTION_CHARS, ABSENT_GRACE_MS };
  Object.assign(numbers, { INTERRUPTED_MS, REBUILDING_MS, STALLED_INTERRUPTED_MS, STALLED_OPEN_MS });
  for (const [name, value] of Object.entries(numbers)) assert.equal(value, inRust(name), name);
});

test('the server knows again every message that may be under way', () => {
  assert.ok(UNDER_WAY < inRust('RESUME_IDS'));
});

test('the words for what is too long say the right number', () => {
  for (const language of ['en', 'es']) {
    const words = JSON.parse(readFileSync(new URL(`web/i18n/${language}.json`, repository), 'utf8'));
    const said = (/** @type {string} */ key) => Number(String(words[key]).replace(/\D/g, ''));
    assert.equal(said('field.title.long'), TITLE_CHARS);
    assert.equal(said('field.description.long'), DESCRIPTION_CHARS);
    assert.equal(said('name.too_long'), NAME_CHARS);
  }
  assert.equal(CHANNEL_BYTES, 262_144);
});
