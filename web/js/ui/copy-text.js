/** A line of text to take along, with a button that copies it. */
import { h } from './dom.js';
import { icon } from './icons.js';
import { showToast } from './toast-stack.js';

export class CopyText extends HTMLElement {
  #code = h('code', { tabindex: '0' });

  connectedCallback() {
    if (this.firstChild) return;
    const button = h('button', { type: 'button', class: 'quiet', on: { click: () => void this.#copy() } });
    button.append(icon('copy'), h('span', { t: 'copy.button' }));
    this.append(this.#code, button);
  }

  /** @param {string} text */
  set text(text) {
    this.#code.textContent = text;
  }

  async #copy() {
    if (await copy(this.#code.textContent ?? '')) return;
    getSelection()?.selectAllChildren(this.#code);
    showToast({ t: 'copy.by_hand' });
  }
}

/** Copies a text and says so. @param {string} text @returns {Promise<boolean>} whether the browser let the page do it */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    showToast({ t: 'copy.done', kind: 'good' });
    return true;
  } catch {
    return false;
  }
}

customElements.define('copy-text', CopyText);
