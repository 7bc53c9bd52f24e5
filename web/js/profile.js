/** What a peer of this page says about itself beside its id: a name and a colour. What others say may be anything. */
import { parseName } from './names.js';

/** The colours that are offered, by the key of their words. */
export const PALETTE = {
  red: '#c62f3b',
  orange: '#d9701a',
  yellow: '#e3b505',
  green: '#2e8b57',
  blue: '#2b6fc9',
  violet: '#7d4bc1',
  pink: '#d6568f',
  gray: '#6b7280',
};

/** @typedef {{ name: string, color: string }} Profile empty where nothing was said, or nothing that can be shown */

/** @param {Record<string, unknown>} metadata @returns {Profile} */
export function readProfile({ name, color }) {
  return { name: readName(name), color: readColor(color) };
}

/** A name by the rule for ids, so that nothing in it can be hidden or endless. @param {unknown} value */
function readName(value) {
  if (typeof value !== 'string') return '';
  try {
    return parseName(value.trim());
  } catch {
    return '';
  }
}

/** @param {unknown} value `#rrggbb`, and nothing else */
function readColor(value) {
  return typeof value === 'string' && /^#[0-9a-f]{6}$/i.test(value) ? value.toLowerCase() : '';
}

/** Black or white, whichever can be read on this colour: the contrast is at least 4.5:1. @param {string} color `#rrggbb` */
export function inkOn(color) {
  const light = luminance(color);
  return (light + 0.05) / 0.05 > 1.05 / (light + 0.05) ? '#000000' : '#ffffff';
}

/** Relative luminance (WCAG 2). @param {string} color `#rrggbb` */
export function luminance(color) {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
