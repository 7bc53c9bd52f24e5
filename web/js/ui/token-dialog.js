/** Asks for a token: says why, what that is and how to get one, and what the one that there is allows. */
import { ApiError } from '../api_error.js';
import { knows, say } from '../i18n.js';
import { isToken, readToken } from '../token.js';
import './copy-text.js';
import { arrange, h } from './dom.js';
import { field, setError } from './field.js';
import { icon } from './icons.js';
import { tokenFacts } from './token-facts.js';

/**
 * @typedef {import('../page_token.js').PageToken} PageToken
 * @typedef {import('../page_token.js').Need} Need
 */

export class TokenDialog extends HTMLElement {
  /** @type {PageToken | null} */
  #token = null;
  #given = false;
  /** What else has to take a token before it is used. @type {(token: string) => Promise<void>} */
  accept = async () => {};
  #title = h('h2', { id: 'token-title' });
  #reason = h('p', { id: 'token-reason' });
  #facts = h('div');
  #text = h('textarea', { name: 'token', id: 'token-text', rows: 4, autocomplete: 'off', spellcheck: 'false' });
  #preview = h('div', { class: 'preview', role: 'status' });
  #command = /** @type {import('./copy-text.js').CopyText} */ (document.createElement('copy-text'));
  #use = h('button', { type: 'submit', class: 'primary' }, icon('key'), h('span', { t: 'token.use' }));
  #forget = h('button', { type: 'button', t: 'token.forget', on: { click: () => this.#forgot() } });
  #cancel = h('button', { type: 'button', on: { click: () => this.#dialog.close() } });
  #details = h(
    'details',
    {},
    h('summary', { t: 'token.how' }),
    h('p', { t: 'token.what' }),
    h('p', { t: 'token.operator' }),
    this.#command,
    h('p', { t: 'token.kept' }),
  );
  #field = field({ label: 'token.text', control: this.#text });
  #label = this.#field.querySelector('label');
  #form = h('form', { novalidate: true });
  #dialog = h('dialog', { class: 'dialog', 'aria-labelledby': 'token-title', 'aria-describedby': 'token-reason' });

  connectedCallback() {
    if (this.firstChild) return;
    this.#text.autocapitalize = 'off';
    this.#form.append(
      this.#field,
      this.#preview,
      this.#details,
      h('div', { class: 'actions' }, this.#use, this.#cancel, this.#forget),
    );
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#submit();
    });
    this.#text.addEventListener('input', () => this.#showPreview());
    this.#text.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.isComposing) return;
      event.preventDefault();
      this.#form.requestSubmit();
    });
    // By Escape, too: there is nothing that could be lost.
    this.#dialog.addEventListener('close', () => this.#closed());
    this.#dialog.append(this.#title, this.#reason, this.#facts, this.#form);
    this.append(this.#dialog);
  }

  /** @param {PageToken} token */
  set token(token) {
    this.#token = token;
    token.on('need', (need) => this.#open(need));
    // It came by another way, such as the address.
    token.on('change', () => {
      this.#given = this.#dialog.open && token.value !== null;
      if (this.#given) this.#dialog.close();
    });
  }

  /** @param {Need} need */
  #open(need) {
    const token = this.#token;
    if (!token || this.#dialog.open) return;
    const { claims } = token;
    say(this.#title, need.code === 'asked' && claims ? 'token.title.yours' : 'token.title.needed');
    say(this.#reason, reasonKey(need, claims !== null), { room: need.room ?? '', at: new Date(claims?.until ?? 0) });
    this.#details.open = false;
    if (this.#label) say(this.#label, claims ? 'token.text_other' : 'token.text');
    arrange(this.#facts, claims ? [tokenFacts(claims)] : []);
    say(this.#cancel, need.code === 'asked' ? 'token.close' : 'token.not_now');
    this.#forget.hidden = token.value === null;
    this.#command.text = command(need);
    this.#text.value = '';
    this.#showPreview();
    this.#dialog.showModal();
    this.#text.focus();
  }

  /** What the new one says, as soon as it is there. */
  #showPreview() {
    setError(this.#text, null);
    const claims = readToken(this.#text.value.trim());
    arrange(this.#preview, claims ? [h('p', { class: 'label', t: 'token.preview' }), tokenFacts(claims)] : []);
    this.#preview.hidden = !claims;
  }

  async #submit() {
    const [token, text] = [this.#token, this.#text.value.trim()];
    if (!token || this.#form.ariaBusy === 'true') return;
    if (!isToken(text)) return this.#wrong(text === '' ? 'token.error.empty' : 'token.error.no_token');
    this.#form.ariaBusy = 'true';
    try {
      await token.check(text);
      await this.accept(text);
      token.use(text);
    } catch (error) {
      const { code, message } = /** @type {{ code: string, message: string }} */ (error);
      const { status = 0, retryMs = 0 } = error instanceof ApiError ? error : {};
      const key = `token.error.${status === 429 ? 'rate_limited' : code}`;
      const params = { detail: message, seconds: Math.ceil((retryMs ?? 0) / 1_000) };
      this.#wrong(knows(key) ? key : 'token.error.other', params);
    } finally {
      this.#form.ariaBusy = null;
    }
  }

  /** @param {string} key @param {import('../i18n.js').Params} [params] */
  #wrong(key, params = {}) {
    setError(this.#text, { key, params });
    this.#text.focus();
  }

  #forgot() {
    this.#dialog.close();
    this.#token?.forget();
  }

  /** Nobody else is to find it in the form. */
  #closed() {
    this.#text.value = '';
    this.#showPreview();
    if (!this.#given) this.#token?.decline();
    this.#given = false;
  }
}

/** @param {Need} need @param {boolean} has whether there is a token */
function reasonKey({ code, purpose, room }, has) {
  if (code === 'asked') return has ? 'token.reason.yours' : 'token.reason.not_authenticated';
  if (code !== 'not_allowed') return `token.reason.${code}`;
  return `token.reason.not_allowed.${room === undefined ? (purpose ?? 'other') : 'room'}`;
}

/** What an operator writes to make a fitting one. @param {Need} need */
function command({ purpose, room }) {
  const quoted = `'${(room ?? 'room1').replaceAll("'", "'\\''")}'`;
  const rights = purpose === 'admin' ? '--admin' : `--room ${quoted} --items write`;
  return `grtc-server token create --key key --sub NAME ${rights}`;
}

customElements.define('token-dialog', TokenDialog);
