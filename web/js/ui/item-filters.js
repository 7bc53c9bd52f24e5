/** Which items are shown: a text to look for, a status, and the button that loads them. */
import { h } from './dom.js';
import { field, statusSelect } from './field.js';
import { icon } from './icons.js';

const TYPING_MS = 250;

export class ItemFilters extends HTMLElement {
  /** @type {import('../item_store.js').ItemStore | null} */
  store = null;
  #search = h('input', { type: 'search', name: 'q', id: 'items-search', autocomplete: 'off' });
  #status = statusSelect('filter');
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  connectedCallback() {
    if (this.firstChild) return;
    this.#status.prepend(h('option', { value: '', t: 'items.any_status' }));
    this.#status.value = '';
    this.#status.id = 'items-filter';
    const form = h(
      'form',
      { role: 'search', tLabel: 'items.find' },
      field({ label: 'items.search', control: this.#search, className: 'grow' }),
      field({ label: 'items.filter', control: this.#status }),
      h('button', { type: 'submit' }, icon('load'), h('span', { t: 'items.load' })),
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#apply();
    });
    this.#status.addEventListener('change', () => this.#apply());
    this.#search.addEventListener('input', () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#apply(), TYPING_MS);
    });
    this.append(form);
  }

  /** Shows everything again. */
  reset() {
    this.#search.value = '';
    this.#status.value = '';
    this.#apply();
  }

  #apply() {
    clearTimeout(this.#timer);
    const status = /** @type {import('../items.js').ItemStatus | ''} */ (this.#status.value);
    void this.store?.setFilter({ q: this.#search.value.trim(), status });
  }
}

customElements.define('item-filters', ItemFilters);
