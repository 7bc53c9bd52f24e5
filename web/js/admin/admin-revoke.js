/** Makes tokens worthless: all that somebody has, or one. */
import { confirm } from '../ui/confirm-dialog.js';
import { h } from '../ui/dom.js';
import { field, setError } from '../ui/field.js';
import { icon } from '../ui/icons.js';
import { done } from './done.js';

export class AdminRevoke extends HTMLElement {
  /** @type {import('./admin_api.js').AdminApi | null} */
  api = null;
  #kind = h(
    'select',
    { name: 'kind', id: 'revoke-kind' },
    h('option', { value: 'sub', t: 'admin.revoke.sub' }),
    h('option', { value: 'jti', t: 'admin.revoke.jti' }),
  );
  #value = h('input', { name: 'value', id: 'revoke-value', autocomplete: 'off', spellcheck: 'false' });
  #form = h('form', { novalidate: true, tLabel: 'admin.revoke.heading' });

  connectedCallback() {
    if (this.firstChild) return;
    this.#form.append(
      field({ label: 'admin.revoke.kind', control: this.#kind }),
      field({ label: 'admin.revoke.value', control: this.#value, className: 'grow' }),
      h('button', { type: 'submit' }, icon('lock'), h('span', { t: 'admin.revoke.short' })),
    );
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#revoke();
    });
    this.#value.addEventListener('input', () => setError(this.#value, null));
    this.append(h('p', { class: 'hint', t: 'admin.revoke.hint' }), this.#form);
  }

  /** Asks whether all tokens of somebody are to end. @param {string} sub */
  propose(sub) {
    [this.#kind.value, this.#value.value] = ['sub', sub];
    void this.#revoke();
  }

  async #revoke() {
    const value = this.#value.value.trim();
    if (value === '') {
      setError(this.#value, { key: 'admin.revoke.empty' });
      return this.#value.focus();
    }
    const kind = this.#kind.value === 'jti' ? 'jti' : 'sub';
    const answer = await confirm({
      title: [kind === 'jti' ? 'admin.revoke.title_jti' : 'admin.revoke.title_sub', { value }],
      text: 'admin.revoke.text',
      action: 'admin.revoke.short',
    });
    if (answer === null) return;
    if (await done(this, this.api?.revoke(kind, value), ['admin.revoke.done', { value }])) this.#form.reset();
  }
}

customElements.define('admin-revoke', AdminRevoke);
