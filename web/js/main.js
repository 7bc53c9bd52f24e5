/** The page: puts its parts together. */
import { HOME } from './home.js';
import { choose, say, setLanguage, t } from './i18n.js';
import { ItemFeed } from './item_feed.js';
import { ItemStore } from './item_store.js';
import { Items } from './items.js';
import { outbox, recall } from './memory.js';
import { followItems, followRoom, startToken } from './page_access.js';
import { PageRoom } from './page_room.js';
import './ui/copy-text.js';
import './ui/item-filters.js';
import './ui/item-form.js';
import './ui/item-list.js';
import './ui/page-settings.js';
import './ui/room-chat.js';
import { initialNames } from './ui/room-form.js';
import './ui/room-log.js';
import './ui/room-mesh.js';
import './ui/room-peers.js';
import './ui/room-profile.js';
import { showToast } from './ui/toast-stack.js';

/** @typedef {'item-form' | 'item-filters' | 'item-list' | 'room-form' | 'room-profile' | 'room-peers' | 'room-mesh' | 'room-chat' | 'room-log'} Part */

/** @param {Part} name @returns {any} */
const part = (name) => document.querySelector(name);

/** @param {import('./page_token.js').PageToken} token */
function startItems(token) {
  const items = new Items(HOME, token.fetch, { outbox, given: token.given });
  const store = new ItemStore(items);
  const feed = new ItemFeed();
  for (const name of /** @type {Part[]} */ (['item-form', 'item-filters', 'item-list'])) part(name).store = store;
  showHowItIs(items, feed);
  document.addEventListener('items-reset', () => part('item-filters').reset());
  addEventListener('pagehide', () => {
    store.flush();
    feed.close();
  });
  // A page that comes back out of the browser's memory.
  addEventListener('pageshow', ({ persisted }) => persisted && token.items !== 'none' && feed.open());
  store.follow(feed);
  followItems(token, items, store, feed);
}

/** Whether the server answers, and whether the page hears of changes. @param {Items} items @param {ItemFeed} feed */
function showHowItIs(items, feed) {
  const badge = /** @type {HTMLElement} */ (document.getElementById('items-live'));
  let [waiting, live] = [0, false];
  const show = () => {
    const key = waiting ? 'items.waiting' : live ? 'items.live' : 'items.not_live';
    badge.className = `chip ${key === 'items.live' ? 'good' : 'busy'}`;
    say(badge, key);
  };
  items.on('waiting', (count) => {
    waiting = count;
    show();
  });
  feed.on('live', (now) => {
    live = now;
    show();
  });
}

/** @param {ReturnType<typeof startToken>} access */
function startRoom({ token, dialog }) {
  const pageRoom = new PageRoom(token);
  for (const name of /** @type {Part[]} */ ([
    'room-form',
    'room-profile',
    'room-peers',
    'room-mesh',
    'room-chat',
    'room-log',
  ])) {
    part(name).pageRoom = pageRoom;
  }
  pageRoom.on('status', (status) => {
    if (status.state === 'joined' && status.rejoined && !status.recovered) showToast({ t: 'room.back', kind: 'good' });
  });
  document.addEventListener('peer-chosen', (event) => {
    part('room-chat').writeTo(/** @type {CustomEvent} */ (event).detail);
  });
  countUnread(pageRoom);
  followRoom(token, dialog, pageRoom);
  const { join, returning, ...names } = initialNames();
  part('room-form').fill(names);
  if (join) part('room-form').join(returning);
}

/**
 * Counts the messages that came while nobody looked: on another tab of the browser, or on a narrow page's other section.
 * @param {PageRoom} pageRoom
 */
function countUnread(pageRoom) {
  let count = 0;
  const link = /** @type {HTMLElement} */ (document.querySelector('.sections a[href="#room"]'));
  const looking = () => !document.hidden && part('room-chat').checkVisibility();
  const show = () => {
    say(link, count ? 'room.heading_unread' : 'room.heading', { count });
    document.title = `${count ? `(${count}) ` : ''}${t('page.title')}`;
  };
  const seen = () => {
    if (count === 0 || !looking()) return;
    count = 0;
    show();
  };
  pageRoom.on('message', ({ replayed }) => {
    if (replayed || looking()) return;
    count += 1;
    show();
  });
  document.addEventListener('visibilitychange', seen);
  addEventListener('hashchange', seen);
}

/** On a narrow page one of the two sections is shown, the one that the address names. */
function showSection() {
  const section = location.hash === '#room' ? 'room' : 'items';
  document.body.dataset.section = section;
  for (const link of document.querySelectorAll('.sections a')) {
    if (link.getAttribute('href') === `#${section}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

const remembered = recall('language');
await setLanguage(choose(remembered ? [remembered] : navigator.languages));
// The language menu is built by the browser before the language is known.
/** @type {HTMLSelectElement | null} */
const menu = document.querySelector('page-settings select');
if (menu) menu.value = document.documentElement.lang;
showSection();
addEventListener('hashchange', showSection);
const access = startToken();
startItems(access.token);
startRoom(access);
document.body.classList.add('ready');
