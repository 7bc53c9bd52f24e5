/**
 * Names of peers and rooms: 1–64 code points in NFC, without control, format (bidi, zero-width), line separating or
 * unassigned characters and without `/`, and not `.` or `..`. The same rule as the server's, so that a form can say
 * what is wrong before the server refuses the connection.
 */

/** Longest name, in code points after NFC. */
export const NAME_CHARS = 64;

/** @typedef {'empty' | 'too_long' | 'character' | 'dots'} NameProblem */

const FORBIDDEN = /[/\p{Cc}\p{Cf}\p{Cn}\p{Cs}\p{Zl}\p{Zp}]/u;

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
  const forbidden = FORBIDDEN.exec(name);
  if (forbidden) {
    const code = forbidden[0].codePointAt(0) ?? 0;
    throw new InvalidName('character', `U+${code.toString(16).toUpperCase().padStart(4, '0')}`);
  }
  if ([...name].length > NAME_CHARS) throw new InvalidName('too_long');
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
