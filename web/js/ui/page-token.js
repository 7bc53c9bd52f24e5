/** Whose token the page shows, and until when; a button to see what it allows, and to change it. */
import { arrange, foreign, h } from './dom.js';
import { icon } from './icons.js';
import { endOf } from './token-facts.js';

const LOOKS = { none: '', far: '', soon: 'busy', over: 'bad' };

export class PageTokenButton extends HTMLElement {
  #button = h('button', { type: 'button', class: 'token-button' });

  connectedCallback() {
    if (this.firstChild) return;
    this.#button.addEventListener('click', () => {
      this.dispatchEvent(new CustomEvent('token-wanted', { bubbles: true }));
    });
    this.hidden = true;
    this.append(this.#button);
  }

  /** @param {import('../page_token.js').PageToken} token */
  set token(token) {
    const show = () => this.#show(token);
    token.on('change', show);
    token.on('soon', show);
    token.on('need', () => {
      this.hidden = false;
      show();
    });
    show();
  }

  /** @param {import('../page_token.js').PageToken} token */
  #show(token) {
    const { claims, end } = token;
    if (claims) this.hidden = false;
    this.#button.className = `token-button ${LOOKS[end]}`;
    if (!claims) return arrange(this.#button, [icon('key'), h('span', { t: 'token.give' })]);
    const until = end === 'over' ? h('span', { class: 'until', t: 'token.over' }) : claims.until && endOf(claims.until);
    arrange(this.#button, [
      icon(end === 'far' || end === 'none' ? 'key' : 'warn'),
      h('span', { class: 'visually-hidden', t: 'token.button' }),
      foreign(claims.sub, 'sub'),
      ...(until ? [until] : []),
      ...(end === 'soon' ? [h('span', { class: 'visually-hidden', t: 'token.button_soon' })] : []),
    ]);
  }
}

customElements.define('page-token', PageTokenButton);
