/** Short notices at the edge of the page. They stay while somebody points at them or stands in them. */
import { h } from './dom.js';
import { icon } from './icons.js';

/**
 * @typedef {object} Toast
 * @property {import('./dom.js').Words} t
 * @property {'info' | 'good' | 'bad'} [kind]
 * @property {{ t: string, run: () => void, isUndo?: boolean }} [action] a way back: also by Ctrl+Z outside of a text field,
 *   unless `isUndo` is false
 * @property {() => void} [onExpire] the toast went away, and the action was not taken
 * @property {number} [ms]
 */

export const TOAST_MS = 5_000;

export class ToastStack extends HTMLElement {
  /** The ways back, the newest last. @type {(() => void)[]} */
  #undos = [];

  connectedCallback() {
    this.setAttribute('role', 'status');
    this.setAttribute('aria-live', 'polite');
    document.addEventListener('keydown', (event) => {
      const undo = (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === 'z';
      if (!undo || isTextField(event.target) || this.#undos.length === 0) return;
      event.preventDefault();
      this.#undos.at(-1)?.();
    });
  }

  /** @param {Toast} toast */
  show({ t, kind = 'info', action, onExpire, ms = TOAST_MS }) {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const end = () => {
      clearTimeout(timer);
      element.remove();
      this.#undos = this.#undos.filter((undo) => undo !== back);
    };
    const expire = () => {
      end();
      onExpire?.();
    };
    const back = () => {
      end();
      action?.run();
    };
    const hold = () => clearTimeout(timer);
    const go = () => {
      clearTimeout(timer);
      timer = setTimeout(expire, ms);
    };
    const on = { pointerenter: hold, pointerleave: go, focusin: hold, focusout: go };
    const element = h(
      'div',
      { class: `toast ${kind}`, on },
      icon(kind === 'bad' ? 'warn' : kind === 'good' ? 'check' : 'info'),
      h('span', { class: 'toast-text', t }),
      action && h('button', { type: 'button', class: 'link', t: action.t, on: { click: back } }),
      h(
        'button',
        { type: 'button', class: 'quiet icon-only', tLabel: 'toast.close', on: { click: expire } },
        icon('cross'),
      ),
    );
    if (action && action.isUndo !== false) this.#undos.push(back);
    this.append(element);
    go();
    return { end };
  }
}

/** Shows a toast on the page's stack. @param {Toast} toast */
export function showToast(toast) {
  return /** @type {ToastStack | null} */ (document.querySelector('toast-stack'))?.show(toast);
}

/** @param {EventTarget | null} target */
function isTextField(target) {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
}

customElements.define('toast-stack', ToastStack);
