/** The form that makes items: one, or five at once. */
import { say, t } from '../i18n.js';
import { asApiError } from '../item_store.js';
import { h } from './dom.js';
import { clearErrors, errorKey, field, setError, showFieldErrors, statusSelect } from './field.js';
import { icon } from './icons.js';
import './saving-words.js';
import { showToast } from './toast-stack.js';

const AT_ONCE = 5;

export class ItemForm extends HTMLElement {
  /** @type {import('../item_store.js').ItemStore | null} */
  #store = null;
  #title = h('input', { name: 'title', id: 'item-title', autocomplete: 'off' });
  #description = h('textarea', { name: 'description', id: 'item-description', rows: 2 });
  #status = statusSelect('status');
  #form = h('form', { novalidate: true, tLabel: 'items.form' });
  #reason = h('span');
  #readOnly = h('p', { class: 'reason wide', id: 'items-read-only', hidden: true }, icon('lock'), this.#reason);
  #saving = /** @type {import('./saving-words.js').SavingWords} */ (document.createElement('saving-words'));

  connectedCallback() {
    if (this.firstChild) return;
    this.#status.id = 'item-status';
    const five = h('button', { type: 'button', on: { click: () => void this.#createFive() } });
    five.append(icon('stack'), h('span', { t: 'items.create_five' }));
    this.#form.append(
      this.#readOnly,
      field({ label: 'items.title', control: this.#title, className: 'wide' }),
      field({ label: 'items.description', control: this.#description, className: 'wide' }),
      field({ label: 'items.status', control: this.#status }),
      h(
        'div',
        { class: 'actions' },
        h('button', { type: 'submit', class: 'primary' }, icon('plus'), h('span', { t: 'items.create' })),
        five,
      ),
      this.#saving,
    );
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#create();
    });
    this.#form.addEventListener('input', (event) => {
      if (event.target instanceof HTMLElement && 'name' in event.target)
        setError(/** @type {any} */ (event.target), null);
    });
    this.append(this.#form);
  }

  /** @param {import('../item_store.js').ItemStore} store */
  set store(store) {
    this.#store = store;
    store.on('change', () => this.#showAccess());
    const left = store.unfinished;
    if (Array.isArray(left)) void this.#makeFive(left);
    else if (left) {
      [this.#title.value, this.#description.value, this.#status.value] = [
        left.title,
        left.description ?? '',
        left.status,
      ];
      void this.#create();
    }
  }

  /** Who may only read is told so, and finds nothing to press. */
  #showAccess() {
    const may = this.#store?.access === 'write';
    this.#readOnly.hidden = may;
    say(this.#reason, this.#store?.access === 'none' ? 'items.not_allowed' : 'items.read_only');
    for (const control of /** @type {Iterable<HTMLInputElement>} */ (/** @type {unknown} */ (this.#form.elements))) {
      control.disabled = !may;
    }
    if (may) this.#form.removeAttribute('aria-describedby');
    else this.#form.setAttribute('aria-describedby', this.#readOnly.id);
  }

  #fields() {
    const status = /** @type {import('../items.js').ItemStatus} */ (this.#status.value);
    return { title: this.#title.value, description: this.#description.value || null, status };
  }

  async #create() {
    await this.#attempt(async (store) => {
      const item = await this.#saving.follow((patience) => store.create(this.#fields(), patience));
      showToast({ t: ['items.created', { title: item.title }], kind: 'good' });
      this.#form.reset();
      this.#title.focus();
    });
  }

  async #createFive() {
    const fields = this.#fields();
    const name = fields.title.trim() || t('items.five_title');
    await this.#makeFive(Array.from({ length: AT_ONCE }, (_, i) => ({ ...fields, title: `${name} ${i + 1}` })));
  }

  /** @param {import('../items.js').ItemFields[]} five */
  async #makeFive(five) {
    await this.#attempt(async (store) => {
      const { length } = await this.#saving.follow((patience) => store.createBulk(five, patience));
      showToast({ t: ['items.created_many', { count: length }], kind: 'good' });
      this.#form.reset();
    });
  }

  /** @param {(store: import('../item_store.js').ItemStore) => Promise<void>} work */
  async #attempt(work) {
    if (!this.#store || this.#form.ariaBusy === 'true') return;
    clearErrors(this.#form);
    this.#form.ariaBusy = 'true';
    try {
      await work(this.#store);
    } catch (caught) {
      const error = asApiError(caught);
      const shown = showFieldErrors(this.#form, error);
      if (!shown) showToast({ t: [errorKey(error), { detail: error.message }], kind: 'bad' });
    } finally {
      this.#form.ariaBusy = null;
    }
  }
}

customElements.define('item-form', ItemForm);
