/** One item: as it is, or in a form that changes it. */
import { say } from '../i18n.js';
import { asApiError } from '../item_store.js';
import { arrange, h } from './dom.js';
import { clearErrors, errorKey, field, showFieldErrors, statusSelect } from './field.js';
import { icon } from './icons.js';
import './saving-words.js';
import { showToast } from './toast-stack.js';

/** @type {Record<import('../items.js').ItemStatus, import('./icons.js').IconName>} */
const STATUS_ICONS = { active: 'check', inactive: 'pause', pending: 'clock' };

export class ItemRow extends HTMLElement {
  /** @type {import('../item_store.js').ItemStore | null} */
  store = null;
  /** @type {import('../items.js').Item | null} */
  #item = null;
  #readOnly = false;
  /** @type {import('../items.js').Digest | null} */
  #digest = null;
  /** @type {HTMLFormElement | null} */
  #form = null;
  #saving = savingWords();
  /** The count of the words, which goes on whatever is edited meanwhile. */
  #counting = savingWords();

  constructor() {
    super();
    this.addEventListener('animationend', () => this.classList.remove('touched'));
  }

  get editing() {
    return this.#form !== null;
  }

  get item() {
    return this.#item;
  }

  /** @param {import('../items.js').Item | null} item */
  set item(item) {
    const same = this.#item?.id === item?.id && this.#item?.version === item?.version;
    if (this.#item && same && this.#item.updated_at === item?.updated_at) return;
    if (this.#item && !same) this.#digest = null;
    // What is being edited stays as it is: the form knows the version that it began with.
    if (this.#form) return;
    this.#item = item;
    this.#show();
  }

  /** Whether its buttons are out of use: the user's token allows no changes. @param {boolean} readOnly */
  set readOnly(readOnly) {
    if (this.#readOnly === readOnly) return;
    this.#readOnly = readOnly;
    if (!this.#form) this.#show();
  }

  /** Somebody changed it: it shines for a moment. @param {import('../items.js').Digest | null} digest */
  touch(digest) {
    this.classList.add('touched');
    if (!digest) return;
    this.#digest = digest;
    if (!this.#form) this.#show();
  }

  /** @param {'edit' | 'delete'} what */
  focusOn(what) {
    /** @type {HTMLElement | null} */ (this.querySelector(`[data-do="${what}"]`))?.focus();
  }

  #show() {
    const item = this.#item;
    if (!item) return;
    const focused = this.contains(document.activeElement) ? document.activeElement?.getAttribute('data-do') : null;
    arrange(this, [
      h(
        'div',
        { class: 'item-main' },
        h('h3', { class: 'item-title', dir: 'auto' }, item.title),
        item.description && h('p', { class: 'item-description', dir: 'auto' }, item.description),
        this.#facts(item),
        this.#saving,
        this.#counting,
      ),
      h(
        'div',
        { class: 'item-actions' },
        this.#button('edit', 'edit', () => this.#edit()),
        this.#button('process', 'spark', () => void this.#process()),
        this.#button('delete', 'trash', () => this.dispatchEvent(new CustomEvent('item-delete', { bubbles: true }))),
      ),
    ]);
    if (focused) /** @type {HTMLElement | null} */ (this.querySelector(`[data-do="${focused}"]`))?.focus();
  }

  /** @param {import('../items.js').Item} item */
  #facts(item) {
    const { words, characters, sha256 } = this.#digest ?? { words: 0, characters: 0, sha256: '' };
    return h(
      'p',
      { class: 'item-facts' },
      h(
        'span',
        { class: `chip ${item.status}` },
        icon(STATUS_ICONS[item.status]),
        h('span', { t: `status.${item.status}` }),
      ),
      h('span', {}, `#${item.id}`),
      h('span', { t: ['items.changed', { at: new Date(item.updated_at) }] }),
      this.#digest && h('span', { class: 'digest', title: sha256, t: ['items.digest', { words, characters }] }),
    );
  }

  /** @param {'edit' | 'delete' | 'process'} what @param {import('./icons.js').IconName} picture @param {() => void} click */
  #button(what, picture, click) {
    const title = this.#item?.title ?? '';
    const props = { type: 'button', class: 'quiet icon-only', 'data-do': what, on: { click } };
    const label = /** @type {import('./dom.js').Words} */ ([`items.${what}`, { title }]);
    const tTitle = this.#readOnly ? 'items.read_only' : `items.${what}.short`;
    return h('button', { ...props, tLabel: label, tTitle, disabled: this.#readOnly }, icon(picture));
  }

  #edit() {
    const item = this.#item;
    if (!item) return;
    const title = h('input', { name: 'title', value: item.title, autocomplete: 'off' });
    const description = h('textarea', { name: 'description', rows: 3 }, item.description ?? '');
    const cancel = () => {
      this.#saving.stop();
      this.#leaveForm();
    };
    const form = h(
      'form',
      { novalidate: true, tLabel: ['items.edit', { title: item.title }], class: 'item-edit' },
      field({ label: 'items.title', control: title, className: 'wide' }),
      field({ label: 'items.description', control: description, className: 'wide' }),
      field({ label: 'items.status', control: statusSelect('status', item.status) }),
      h('p', { class: 'error wide', role: 'alert', hidden: true }),
      h(
        'div',
        { class: 'actions' },
        h('button', { type: 'submit', class: 'primary', t: 'items.save' }),
        h('button', { type: 'button', t: 'items.cancel', on: { click: cancel } }),
      ),
      this.#saving,
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#save(form);
    });
    form.addEventListener('keydown', (event) => event.key === 'Escape' && cancel());
    this.#form = form;
    arrange(this, [form]);
    title.focus();
    title.select();
  }

  /** @param {HTMLFormElement} form */
  async #save(form) {
    const [item, store] = [this.#item, this.store];
    if (!item || !store || this.#saving.busy) return;
    clearErrors(form);
    const data = new FormData(form);
    const fields = {
      title: String(data.get('title')),
      description: String(data.get('description')) || null,
      status: /** @type {import('../items.js').ItemStatus} */ (data.get('status')),
    };
    try {
      // Said once that it was changed meanwhile, the user who saves again means it.
      const overwrite = form.dataset.conflict === 'true';
      await this.#saving.follow((patience) => store.update(item, fields, overwrite, patience));
      this.#leaveForm();
    } catch (caught) {
      if (this.#form !== form) return;
      const error = asApiError(caught);
      if (error.status === 412) form.dataset.conflict = 'true';
      if (showFieldErrors(form, error)) return;
      const place = /** @type {HTMLElement} */ (form.querySelector('[role=alert]'));
      say(place, error.status === 412 ? 'items.conflict' : errorKey(error), { detail: error.message });
      place.hidden = false;
    }
  }

  #leaveForm() {
    const id = this.#item?.id;
    this.#form = null;
    this.#item = this.store?.items.find((item) => item.id === id) ?? this.#item;
    this.#show();
    this.focusOn('edit');
    this.dispatchEvent(new CustomEvent('item-edited', { bubbles: true }));
  }

  async #process() {
    const [item, store] = [this.#item, this.store];
    if (!item || !store || this.#counting.busy) return;
    try {
      await this.#counting.follow((patience) => store.process(item.id, patience), true);
    } catch (caught) {
      const error = asApiError(caught);
      showToast({ t: [errorKey(error), { detail: error.message }], kind: 'bad' });
    }
  }
}

function savingWords() {
  return /** @type {import('./saving-words.js').SavingWords} */ (document.createElement('saving-words'));
}

customElements.define('item-row', ItemRow);
