/** What the page's token means for the parts of the page, and where it is asked for. */
import { HOME } from './home.js';
import { tokenStore } from './memory.js';
import { PageToken } from './page_token.js';
import { REFUSALS } from './token.js';
import './ui/page-token.js';
import './ui/token-dialog.js';
import { showToast } from './ui/toast-stack.js';

/**
 * @typedef {import('./ui/token-dialog.js').TokenDialog} TokenDialog
 * @typedef {import('./ui/page-token.js').PageTokenButton} PageTokenButton
 */

/** The token of this page, with the dialog and the button for it. @param {import('./page_token.js').Purpose} [purpose] what it is for here */
export function startToken(purpose) {
  const token = new PageToken({ base: HOME, store: tokenStore });
  const dialog = /** @type {TokenDialog} */ (document.querySelector('token-dialog'));
  dialog.token = token;
  /** @type {PageTokenButton} */ (document.querySelector('page-token')).token = token;
  document.addEventListener('token-wanted', () => token.want({ code: 'asked', purpose, own: true }));
  addEventListener('token-in-address', () => token.reload());
  const warn = () => {
    const key = token.end === 'over' ? 'token.toast.over' : 'token.toast.soon';
    const action = { t: 'token.change', run: () => token.want({ code: 'asked', purpose, own: true }), isUndo: false };
    showToast({ t: [key, { at: new Date(token.claims?.until ?? 0) }], kind: 'bad', action, ms: 60_000 });
  };
  token.on('soon', warn);
  token.on('change', () => token.end === 'soon' && warn());
  if (token.end === 'soon') warn();
  return { token, dialog };
}

/** @param {PageToken} token @param {import('./items.js').Items} items @param {import('./item_store.js').ItemStore} store @param {import('./item_feed.js').ItemFeed} feed */
export function followItems(token, items, store, feed) {
  items.on('refused', ({ error: { code }, own }) => token.want({ code, purpose: 'items', own }));
  feed.on('refused', (code) => token.want({ code, purpose: 'items' }));
  const show = () => {
    feed.use(token.value);
    if (token.items === 'none') feed.close();
    else feed.open();
    store.allow(token.items);
  };
  token.on('change', show);
  show();
}

/**
 * Who is refused a room is asked for a token, and goes in with it.
 * @param {PageToken} token
 * @param {TokenDialog} dialog
 * @param {import('./page_room.js').PageRoom} pageRoom
 */
export function followRoom(token, dialog, pageRoom) {
  dialog.accept = (text) => pageRoom.authenticate(text);
  pageRoom.on('status', (status) => {
    const refused = status.state === 'closed' && ['not_authenticated', 'not_allowed'].includes(status.word);
    if (!refused || pageRoom.suspended) return;
    const { roomName: room, peerId } = pageRoom;
    void token.given().then((given) => {
      if (!given || pageRoom.active || pageRoom.roomName !== room) return;
      pageRoom.join(room, pageRoom.grants?.peerId ?? peerId, true);
    });
    token.want({ code: refusal(token, status.word, status.reason), room, purpose: 'room', own: true });
  });
}

/** Why: what the server says, or else what the token does. @param {PageToken} token @param {string} word @param {string} [reason] */
function refusal(token, word, reason = '') {
  if (word === 'not_allowed') return word;
  if (REFUSALS.includes(reason)) return reason;
  return token.value === null ? 'not_authenticated' : token.end === 'over' ? 'token_expired' : 'token_invalid';
}
