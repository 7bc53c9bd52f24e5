/**
 * What the page remembers for its user, where the browser lets it: for this tab as long as it is there, and for the next
 * new one.
 */

/** @typedef {'language' | 'theme' | 'room' | 'peer' | 'name' | 'color'} Thing */

const STORES = [() => sessionStorage, () => localStorage];

/** @param {Thing} thing @returns {string | null} */
export function recall(thing) {
  for (const store of STORES) {
    const value = attempt(() => store().getItem(`grtc.${thing}`));
    if (value) return value;
  }
  return null;
}

/** @param {Thing} thing @param {string} value */
export function remember(thing, value) {
  for (const store of STORES) attempt(() => store().setItem(`grtc.${thing}`, value));
}

/** What this tab is making, and has no answer for yet. @type {import('./items.js').Outbox} */
export const outbox = {
  load: () =>
    attempt(() => {
      const making = JSON.parse(String(sessionStorage.getItem('grtc.making')));
      JSON.parse(making.text);
      return making;
    }),
  save: (making) => {
    attempt(() => sessionStorage.removeItem('grtc.making'));
    if (making) attempt(() => sessionStorage.setItem('grtc.making', JSON.stringify(making)));
  },
};

/** The token that this tab shows the server; for this tab alone. @type {import('./page_token.js').Store} */
export const tokenStore = {
  load: () => attempt(() => sessionStorage.getItem('grtc.token')),
  save: (token) => {
    attempt(() => sessionStorage.removeItem('grtc.token'));
    if (token !== null) attempt(() => sessionStorage.setItem('grtc.token', token));
  },
};

/** Whether this tab is in a room, at this address. @param {boolean} inside */
export function rememberInside(inside) {
  const at = location.search || '?';
  attempt(() => (inside ? sessionStorage.setItem('grtc.inside', at) : sessionStorage.removeItem('grtc.inside')));
}

/** Whether this is a tab that was in a room, and is loaded anew or come back to. */
export function wasInside() {
  const [navigation] = performance.getEntriesByType('navigation');
  const { type } = /** @type {PerformanceNavigationTiming} */ (navigation ?? {});
  const again = type === 'reload' || type === 'back_forward';
  return again && attempt(() => sessionStorage.getItem('grtc.inside')) === (location.search || '?');
}

/**
 * A browser that keeps nothing: the page works, and starts from anew next time.
 * @template Value
 * @param {() => Value} use
 * @returns {Value | null}
 */
function attempt(use) {
  try {
    return use();
  } catch {
    return null;
  }
}
