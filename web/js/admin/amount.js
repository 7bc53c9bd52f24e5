/** Numbers as people read them. */
import { currentLanguage } from '../i18n.js';

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];

/** @param {number} value */
export function count(value) {
  return new Intl.NumberFormat(currentLanguage()).format(value);
}

/** @param {number} value */
export function bytes(value) {
  const power = value < 1_000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(value) / 3));
  const unit = /** @type {string} */ (UNITS[power]);
  if (power === 0) return `${count(value)} B`;
  const options = /** @type {const} */ ({ style: 'unit', unitDisplay: 'short', maximumFractionDigits: 1 });
  return new Intl.NumberFormat(currentLanguage(), { ...options, unit }).format(value / 1_000 ** power);
}
