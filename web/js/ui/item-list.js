/** The items that are loaded, their pages, and what can be done to all of them at once. */
import { say } from '../i18n.js';
import { asApiError } from '../item_store.js';
import { arrange, h } from './dom.js';
import { errorKey, field, statusSelect } from './field.js';
import { icon } from './icons.js';
import { ItemRow } from './item-row.js';
import { showToast } from './toast-stack.js';

export class ItemList extends HTMLElement {
  /** @type {import('../item_store.js').ItemStore | null} */
  #store = null;
  /** @type {Map<number, ItemRow>} */
  #rows = new Map();
  /** Items that were changed and are not shown yet. @type {Set<number>} */
  #fresh = new Set();
  #list = h('ul', { class: 'item-rows', tLabel: 'items.list' });
  #note = h('div', { class: 'note' });
  #count = h('p', { class: 'count', 'aria-live': 'polite' });
  #previous = h('button', { type: 'button', class: 'icon-only', tLabel: 'items.previous' }, icon('left'));
  #next = h('button', { type: 'button', class: 'icon-only', tLabel: 'items.next' }, icon('right'));
  #pager = h('nav', { class: 'pager', tLabel: 'items.pages' }, this.#previous, this.#count, this.#next);
  #bulkStatus = statusSelect('new_status');
  #bulk = h('form', { class: 'bulk', tLabel: 'items.bulk' });

  connectedCallback() {
    if (this.firstChild) return;
    this.#bulkStatus.id = 'bulk-status';
    this.#bulk.append(
      field({ label: 'items.new_status', control: this.#bulkStatus }),
      h('button', { type: 'submit' }, icon('stack'), h('span', { t: 'items.update_status' })),
    );
    this.#bulk.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#setStatus();
    });
    this.#previous.addEventListener('click', () => void this.#store?.goTo(this.#store.page - 1));
    this.#next.addEventListener('click', () => void this.#store?.goTo(this.#store.page + 1));
    this.#list.addEventListener('item-delete', (event) => this.#delete(/** @type {ItemRow} */ (event.target)));
    this.#list.addEventListener('item-edited', () => this.#show());
    this.append(this.#note, this.#list, this.#pager, this.#bulk);
  }

  /** @param {import('../item_store.js').ItemStore} store */
  set store(store) {
    this.#store = store;
    store.on('change', () => this.#show());
    store.on('touched', ({ id, digest }) => {
      const row = this.#rows.get(id);
      if (row) row.touch(digest);
      else this.#fresh.add(id);
    });
    this.#show();
  }

  #show() {
    const store = this.#store;
    if (!store) return;
    const items = store.visible;
    this.#rows = this.#rowsFor(items, store);
    if (!store.loading) this.#fresh.clear();
    arrange(
      this.#list,
      [...this.#rows.values()].flatMap(({ parentElement }) => parentElement ?? []),
    );
    this.#list.setAttribute('aria-busy', String(store.loading));
    const first = store.skipped + 1;
    say(this.#count, 'items.range', { first, last: first + items.length - 1, count: store.visibleTotal });
    this.#previous.hidden = this.#next.hidden = store.pages === 1;
    this.#previous.disabled = store.page === 0;
    this.#next.disabled = store.page + 1 >= store.pages;
    this.#pager.hidden = items.length === 0;
    this.#bulk.hidden = items.length === 0 || store.access !== 'write';
    this.#list.hidden = this.#rows.size === 0;
    // One that says the same stays: somebody may be on its button, and a screen reader has read it.
    const [note, there] = [this.#noteFor(items.length), [...this.#note.childNodes]];
    const says = note.length === there.length && note.every((node, i) => node.isEqualNode(there[i] ?? null));
    if (!says) arrange(this.#note, note);
    this.#note.hidden = !this.#note.firstChild;
  }

  /**
   * A row for each item; the rows that there are stay. One that is being edited does even when its item is not on this
   * page any more, so that nobody's words are lost to somebody else's.
   * @param {import('../items.js').Item[]} items
   * @param {import('../item_store.js').ItemStore} store
   */
  #rowsFor(items, store) {
    const rows = new Map(items.map((item) => [item.id, this.#rows.get(item.id) ?? new ItemRow()]));
    for (const item of items) {
      const row = /** @type {ItemRow} */ (rows.get(item.id));
      row.store = store;
      row.readOnly = store.access !== 'write';
      row.item = item;
      if (row.parentElement) continue;
      h('li', {}, row);
      if (this.#fresh.has(item.id)) row.touch(null);
    }
    for (const [id, row] of this.#rows) if (row.editing && !rows.has(id)) rows.set(id, row);
    return rows;
  }

  /** What stands there instead of items, or above them. @param {number} shown */
  #noteFor(shown) {
    const store = this.#store;
    if (!store) return [];
    if (store.access === 'none')
      return [h('p', { class: 'empty-title', t: 'items.not_allowed' }), wantToken('token.change')];
    if (store.error?.isRefusal)
      return [h('p', { class: 'empty-title', t: errorKey(store.error) }), wantToken('token.give')];
    if (store.error) {
      const retry = h('button', { type: 'button', t: 'items.retry', on: { click: () => void store.load() } });
      const words = /** @type {import('./dom.js').Words} */ ([errorKey(store.error), { detail: store.error.message }]);
      return [h('p', { class: 'error', role: 'alert', t: words }), retry];
    }
    if (shown > 0) return [];
    if (!store.loaded) return [h('p', { t: 'items.loading' })];
    if (store.filter.q || store.filter.status) {
      const click = () => this.dispatchEvent(new CustomEvent('items-reset', { bubbles: true }));
      const all = h('button', { type: 'button', t: 'items.show_all', on: { click } });
      return [h('p', { class: 'empty-title', t: 'items.no_match' }), all];
    }
    return [h('p', { class: 'empty-title', t: 'items.empty' }), h('p', { t: 'items.empty_hint' })];
  }

  /** @param {ItemRow} row */
  #delete(row) {
    const [store, item] = [this.#store, row.item];
    if (!store || !item) return;
    const rows = [...this.#rows.values()];
    const at = rows.indexOf(row);
    const neighbour = rows[at + 1] ?? rows[at - 1];
    store.hide(item.id);
    if (neighbour) neighbour.focusOn('delete');
    else document.getElementById('item-title')?.focus();
    const back = () => {
      store.restore(item.id);
      this.#rows.get(item.id)?.focusOn('delete');
    };
    const report = /** @param {unknown} caught */ (caught) => {
      const error = asApiError(caught);
      showToast({ t: [errorKey(error), { detail: error.message }], kind: 'bad' });
    };
    showToast({
      t: ['items.deleted', { title: item.title }],
      action: { t: 'items.undo', run: back },
      onExpire: () => void store.delete(item.id).catch(report),
    });
  }

  async #setStatus() {
    const status = /** @type {import('../items.js').ItemStatus} */ (this.#bulkStatus.value);
    try {
      const count = (await this.#store?.setStatus(status)) ?? 0;
      showToast({ t: ['items.status_set', { count }], kind: 'good' });
    } catch (caught) {
      const error = asApiError(caught);
      showToast({ t: [errorKey(error), { detail: error.message }], kind: 'bad' });
    }
  }
}

/** A button that asks the user for a token. @param {string} t */
function wantToken(t) {
  const click = (/** @type {Event} */ { target }) =>
    /** @type {HTMLElement} */ (target).dispatchEvent(new CustomEvent('token-wanted', { bubbles: true }));
  return h('button', { type: 'button', t, on: { click } });
}

customElements.define('item-list', ItemList);
