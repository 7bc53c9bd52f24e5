/** The admin page: puts its parts together. */
import { HOME } from '../home.js';
import { choose, knows, say, setLanguage } from '../i18n.js';
import { recall } from '../memory.js';
import { startToken } from '../page_access.js';
import { errorKey } from '../ui/field.js';
import '../ui/page-settings.js';
import '../ui/toast-stack.js';
import './admin-audit.js';
import './admin-peers.js';
import './admin-revoke.js';
import './admin-rooms.js';
import './admin-server.js';
import { AdminApi } from './admin_api.js';
import { Watch } from './watch.js';

const PARTS = ['admin-server', 'admin-rooms', 'admin-peers', 'admin-revoke', 'admin-audit'];

function start() {
  const { token } = startToken('admin');
  const api = new AdminApi({ base: HOME, fetcher: token.fetch, given: token.given });
  const watch = new Watch(api);
  for (const name of PARTS) Object.assign(/** @type {object} */ (document.querySelector(name)), { api, watch });
  // No token helps where there are no keys: without any, a token would be missing and not too weak.
  const hasNoKeys = (/** @type {string} */ code) =>
    code === 'not_allowed' && (token.claims === null || token.claims.grants.admin);
  api.on('refused', ({ error: { code }, own }) => {
    if (hasNoKeys(code)) token.decline();
    else token.want({ code, purpose: 'admin', own });
  });
  showError(watch, hasNoKeys);
  const look = () => (document.hidden ? watch.stop() : void watch.start());
  token.on('change', look);
  document.addEventListener('visibilitychange', look);
  document.addEventListener('server-changed', () => void watch.refresh());
  document.addEventListener('revoke-wanted', (event) => {
    const revoke = /** @type {import('./admin-revoke.js').AdminRevoke} */ (document.querySelector('admin-revoke'));
    revoke.propose(/** @type {CustomEvent} */ (event).detail);
  });
  look();
}

/** What is shown may be of before: that is said, and what to do about it. @param {Watch} watch @param {(code: string) => boolean} hasNoKeys */
function showError(watch, hasNoKeys) {
  const place = /** @type {HTMLElement} */ (document.getElementById('admin-error'));
  const [words, before] = /** @type {[HTMLElement, HTMLElement]} */ (
    /** @type {unknown} */ (place.querySelectorAll('p'))
  );
  const give = /** @type {HTMLElement} */ (place.querySelector('button'));
  give.addEventListener('click', () => give.dispatchEvent(new CustomEvent('token-wanted', { bubbles: true })));
  watch.on('change', () => {
    const { error } = watch;
    place.hidden = error === null;
    if (!error) return;
    const noKeys = hasNoKeys(error.code);
    const key = `admin.error.${noKeys ? 'no_keys' : error.code}`;
    say(words, knows(key) ? key : errorKey(error), { detail: error.message });
    before.hidden = watch.seen === null;
    say(before, 'admin.error.before', { at: watch.at });
    give.hidden = noKeys || !error.isRefusal;
  });
}

const remembered = recall('language');
await setLanguage(choose(remembered ? [remembered] : navigator.languages));
/** @type {HTMLSelectElement | null} */
const menu = document.querySelector('page-settings select');
if (menu) menu.value = document.documentElement.lang;
start();
document.body.classList.add('ready');
