/** What the page remembers for its user, where the browser lets it. */

/**
 * @typedef {'language' | 'theme' | 'room' | 'peer'} Thing
 */

/** @param {Thing} thing @returns {string | null} */
export function recall(thing) {
  try {
    return localStorage.getItem(`grtc.${thing}`);
  } catch {
    return null;
  }
}

/** @param {Thing} thing @param {string} value */
export function remember(thing, value) {
  try {
    localStorage.setItem(`grtc.${thing}`, value);
  } catch {
    // A browser that keeps nothing: the page works, and starts from anew next time.
  }
}
