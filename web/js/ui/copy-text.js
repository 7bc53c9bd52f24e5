/** A line of text to take along, with a button that copies it. */
import { h } from './dom.js';
import { icon } from './icons.js';
import { showToast } from './toast-stack.js';

export class CopyText extends HTMLElement {
  #code = h('code', { tabindex: '0' });

  connectedCallback() {
    if (this.firstChild) return;
    const copy = h('button', { type: 'button', class: 'quiet', on: { click: () => void this.#copy() } });
    copy.append(icon('copy'), h('span', { t: 'copy.button' }));
    this.append(this.#code, copy);
  }

  /** @param {string} text */
  set text(text) {
    this.#code.textContent = text;
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(this.#code.textContent ?? '');
      showToast({ t: 'copy.done', kind: 'good' });
    } catch {
      getSelection()?.selectAllChildren(this.#code);
      showToast({ t: 'copy.by_hand' });
    }
  }
}

customElements.define('copy-text', CopyText);
