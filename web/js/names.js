/**
 * Names of peers and rooms, by the same rule as the server's (`docs/PROTOCOL.md`, section 1), so that a form can say what is
 * wrong before the server refuses the connection: 1–64 code points in NFC, nothing hidden in them and something to be seen.
 */

import { DEPENDENT_VOWEL, JOINS_LEFT, JOINS_RIGHT, REORDERED, TRANSPARENT, VIRAMA } from './unicode.js';

/** Longest name, in code points after NFC. */
export const NAME_CHARS = 64;

/** Combining marks on one character. */
export const NAME_MARKS = 4;

/** @typedef {'empty' | 'too_long' | 'character' | 'dots' | 'marks' | 'blank'} NameProblem */

const FORBIDDEN = /[/\p{Cc}\p{Cf}\p{Cn}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

const AFTER_VIRAMA = `(?<=\\p{L}(?:(?!\\p{Default_Ignorable_Code_Point})\\p{Mn})*[${VIRAMA}][${REORDERED}]*)`;

/** Characters without a glyph where they are part of how a language or an emoji is written. */
const BELONGING = new RegExp(
  [
    `(?<=[${JOINS_LEFT}][${TRANSPARENT}]*)\\u200c(?=[${TRANSPARENT}]*[${JOINS_RIGHT}])`,
    `${AFTER_VIRAMA}\\u200c(?=[${REORDERED}]*\\p{L})`,
    `${AFTER_VIRAMA}\\u200d(?![${DEPENDENT_VOWEL}])`,
    '(?<=\\p{Extended_Pictographic}[\\ufe0f\\p{Emoji_Modifier}]?)\\u200d(?=\\p{Extended_Pictographic})',
    '(?<=[0-9#*])\\ufe0f(?=\\u20e3)',
    '(?<=\\p{Extended_Pictographic})[\\ufe0e\\ufe0f]',
    '(?<=\\p{Unified_Ideograph})[\\ufe00-\\ufe0d\\u{e0100}-\\u{e01ef}]',
    '(?<=(?=\\p{L})\\p{Script=Mongolian})[\\u180b-\\u180d\\u180f]',
    // The flags of England, Scotland and Wales.
    '(?<=\\u{1f3f4})\\u{e0067}\\u{e0062}(?:\\u{e0065}\\u{e006e}\\u{e0067}|\\u{e0073}\\u{e0063}\\u{e0074}|\\u{e0077}\\u{e006c}\\u{e0073})\\u{e007f}',
  ].join('|'),
  'gu',
);

const STRAY_MARKS = new RegExp(`^\\p{M}|[\\p{Mn}\\p{Me}]{${NAME_MARKS + 1}}`, 'u');

/** Blanks, marks and characters without a glyph; some glyphs are empty although no property says so. */
const BLANK = /^[\p{White_Space}\p{M}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800\ufffc\u{13441}\u{13442}\u{1d159}]*$/u;

/** Why a text is no name. */
export class InvalidName extends Error {
  /**
   * @param {NameProblem} problem
   * @param {string} [character] the character at fault, as `U+202E`
   */
  constructor(problem, character) {
    super(InvalidName.sentence(problem, character));
    this.name = 'InvalidName';
    this.problem = problem;
    this.character = character;
  }

  /**
   * @param {NameProblem} problem
   * @param {string | undefined} character
   */
  static sentence(problem, character) {
    switch (problem) {
      case 'empty':
        return 'a name needs at least one character';
      case 'too_long':
        return `a name has at most ${NAME_CHARS} characters`;
      case 'character':
        return `a name can't contain the character ${character}`;
      case 'dots':
        return 'a name can\'t be "." or ".."';
      case 'marks':
        return `a name can't begin with a combining mark, nor have more than ${NAME_MARKS} of them on one character`;
      case 'blank':
        return 'a name needs a character that can be seen';
    }
  }
}

/**
 * The name in this text, in NFC.
 * @param {string} text
 * @returns {string}
 * @throws {InvalidName}
 */
export function parseName(text) {
  const name = text.normalize('NFC');
  if (name === '') throw new InvalidName('empty');
  if (name === '.' || name === '..') throw new InvalidName('dots');
  const forbidden = FORBIDDEN.exec(name.replace(BELONGING, ''));
  if (forbidden) {
    const code = forbidden[0].codePointAt(0) ?? 0;
    throw new InvalidName('character', `U+${code.toString(16).toUpperCase().padStart(4, '0')}`);
  }
  if ([...name].length > NAME_CHARS) throw new InvalidName('too_long');
  if (STRAY_MARKS.test(name)) throw new InvalidName('marks');
  if (BLANK.test(name)) throw new InvalidName('blank');
  return name;
}

/**
 * Orders names by code point. (`<` orders by UTF-16 unit, where "😀" comes before "ｚ".)
 * @param {string} a
 * @param {string} b
 * @returns {number} negative, zero or positive
 */
export function compareNames(a, b) {
  const [left, right] = [[...a], [...b]];
  const length = Math.min(left.length, right.length);
  for (let i = 0; i < length; i += 1) {
    const difference =
      /** @type {number} */ (left[i]?.codePointAt(0)) - /** @type {number} */ (right[i]?.codePointAt(0));
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/**
 * Whether this side of a pair gives way when both offer at once: the one whose id sorts later.
 * @param {string} self
 * @param {string} other
 */
export function isPolite(self, other) {
  return compareNames(self, other) > 0;
}
