import assert from 'node:assert/strict';
import { test } from 'node:test';

import { PALETTE, inkOn, luminance, readProfile } from '../../js/profile.js';

const read = (/** @type {unknown} */ name, /** @type {unknown} */ color) => readProfile({ name, color });

test('a name and a colour, if they are some', () => {
  assert.deepEqual(read(' Ana ', '#C62F3B'), { name: 'Ana', color: '#c62f3b' });
  assert.deepEqual(readProfile({}), { name: '', color: '' });
});

test('what can not be shown is as good as nothing', () => {
  for (const name of [
    1,
    null,
    {},
    '',
    '  ',
    'x'.repeat(65),
    'a\u202eb',
    'a\u200bb',
    '\u2800',
    'a\nb',
    'Z' + '\u0301'.repeat(9),
  ])
    assert.equal(read(name, '').name, '', JSON.stringify(name));
  for (const color of [1, null, 'red', '#fff', '#12345g', '#1234567', 'url(x)', '#123456;x', ' #123456', '#123456\n'])
    assert.equal(read('', color).color, '', JSON.stringify(color));
});

test('what stands on a colour can be read', () => {
  const grid = Array.from({ length: 4096 }, (_, i) => `#${[...i.toString(16).padStart(3, '0')].join('0')}0`);
  for (const color of [...Object.values(PALETTE), ...grid]) {
    const [one, two] = [luminance(color), luminance(inkOn(color))];
    const contrast = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    assert.ok(contrast >= 4.5, `${color}: ${contrast}`);
  }
});
