/** What the page must not have: markup made of text, inline scripts and styles, anything from elsewhere. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

const web = new URL('../../', import.meta.url);
const files = ['index.html', 'admin.html', 'favicon.svg', ...['css', 'js'].flatMap(filesBelow)];

/** @param {string} folder @returns {string[]} */
function filesBelow(folder) {
  const entries = readdirSync(new URL(folder, web), { withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

const FORBIDDEN = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc|\beval\(|new Function|\bon\w+=["']/;

for (const file of files) {
  const text = readFileSync(new URL(file, web), 'utf8');

  test(`${file} makes no markup of text and has nothing inline`, () => {
    assert.doesNotMatch(text, FORBIDDEN);
    if (file.endsWith('.html')) assert.doesNotMatch(text, /<style|style=|<script>|<script(?![^>]*src=)/);
  });

  test(`${file} works below a path`, () => {
    assert.doesNotMatch(text, /(?:href|src)="\/|location\.origin|(?:URL|fetch|import|EventSource|WebSocket)\(['"`]\//);
  });

  test(`${file} needs nothing from elsewhere`, () => {
    const addresses = [...text.matchAll(/https?:\/\/[^\s'"`)]+/g)].map(([address]) => address);
    const elsewhere = addresses.filter((address) => !/www\.w3\.org|\.example/.test(address));
    assert.deepEqual(elsewhere, []);
    if (file.endsWith('.css')) assert.doesNotMatch(text, /@import|url\(/);
  });
}
