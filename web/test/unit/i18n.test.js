import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

import { LANGUAGES, choose, t, useWords } from '../../js/i18n.js';

const web = new URL('../../', import.meta.url);
const read = (/** @type {string} */ path) => readFileSync(new URL(path, web), 'utf8');
/** @type {Record<string, Record<string, string>>} */
const words = Object.fromEntries(LANGUAGES.map((language) => [language, JSON.parse(read(`i18n/${language}.json`))]));
const english = words.en ?? {};

const sources = ['index.html', 'admin.html', ...['js', 'js/ui', 'js/admin'].flatMap((folder) => scripts(folder))];

/** @param {string} folder */
function scripts(folder) {
  return readdirSync(new URL(folder, web)).flatMap((name) => (name.endsWith('.js') ? [`${folder}/${name}`] : []));
}

test('both languages have the same keys, and each has its words', () => {
  for (const language of LANGUAGES) {
    assert.deepEqual(Object.keys(words[language] ?? {}), Object.keys(english), language);
    for (const [key, text] of Object.entries(words[language] ?? {})) assert.ok(text.trim(), `${language} ${key}`);
  }
});

test('both languages use the same parameters', () => {
  const names = (/** @type {string} */ text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
  for (const [key, text] of Object.entries(english)) assert.deepEqual(names(words.es?.[key] ?? ''), names(text), key);
});

test('every key that is used has words', () => {
  const groups = new Set(Object.keys(english).map((key) => key.split('.')[0]));
  for (const source of sources) {
    // A quoted dotted word that begins like a key is one.
    for (const [, key = ''] of read(source).matchAll(/['"`]([a-z]+\.[a-z_.]+)['"`]/g)) {
      if (!groups.has(key.split('.')[0]) || key.endsWith('.')) continue;
      assert.ok(english[key] ?? english[`${key}.other`], `${source}: ${key}`);
    }
  }
});

test('every word is used', () => {
  const text = sources.map(read).join('\n');
  for (const key of Object.keys(english)) {
    const stem = key.replace(/\.(one|other)$|_alone$/, '');
    // The last part of a key may be put together at run time: `status.${status}`.
    const computed = stem.slice(0, stem.lastIndexOf('.') + 1);
    const used =
      text.includes(stem) ||
      text.includes(`${computed}\${`) ||
      text.includes(`\`room.\${`) ||
      text.includes('`field.${');
    assert.ok(used, key);
  }
});

test('speaks the first language that it knows, else English', () => {
  assert.equal(choose(['es-AR', 'en']), 'es');
  assert.equal(choose(['de', 'es']), 'es');
  assert.equal(choose(['en-GB', 'es']), 'en');
  assert.equal(choose(['de']), 'en');
  assert.equal(choose([]), 'en');
});

test('counts in the language, and puts parameters in as they are', () => {
  useWords('en', { 'n.one': '{count} item', 'n.other': '{count} items', a: 'Hello {name}', b: '{gone}' });
  assert.equal(t('n', { count: 1 }), '1 item');
  assert.equal(t('n', { count: 1234 }), '1,234 items');
  assert.equal(t('a', { name: '{name} $& <b>' }), 'Hello {name} $& <b>');
  assert.equal(t('b'), '{gone}');
});
