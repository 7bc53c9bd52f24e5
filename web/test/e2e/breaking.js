/** Breaks the connections of a page under it, while numbers are said. Each function with `window` runs in the page. */

/** Keeps the page's connections in reach. */
export function keepConnections() {
  const Original = RTCPeerConnection;
  /** @type {RTCPeerConnection[]} */
  const made = [];
  const Keeping = class extends Original {
    /** @param {RTCConfiguration} [configuration] */
    constructor(configuration) {
      super(configuration);
      made.push(this);
    }
  };
  Object.assign(window, { RTCPeerConnection: Keeping, made });
}

/** Says the numbers through the page's own form. @param {{ numbers: number, everyMs: number }} options */
export function count({ numbers, everyMs }) {
  const text = /** @type {HTMLTextAreaElement} */ (document.querySelector('#chat-text'));
  let next = 0;
  const timer = setInterval(() => {
    text.value = `number ${next}`;
    text.form?.requestSubmit();
    next += 1;
    if (next === numbers) clearInterval(timer);
  }, everyMs);
}

/** Closes the connection that is there. */
export const cut = () => /** @type {any} */ (window).made.at(-1).close();

/** @param {import('./app.js').Page} page */
export const heard = (page) => page.locator('.message:not(.own) p').allTextContents();
