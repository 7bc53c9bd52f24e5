/** Builds nodes. Text goes in as text, always. */
import { say, showTime } from '../i18n.js';

/**
 * @typedef {string | [key: string, params: import('../i18n.js').Params]} Words a key, or a key with its parameters
 * @typedef {{ t?: Words, tLabel?: Words, tPlaceholder?: Words, tTitle?: Words,
 *   on?: Record<string, (event: any) => void> }} Special
 * @typedef {Special & Record<string, unknown>} Props attributes: true stands for an empty one, false for none
 * @typedef {Node | string | null | undefined | false} Child
 */

/** @type {Record<string, import('../i18n.js').Slot>} */
const WORD_PROPS = { t: 'text', tLabel: 'aria-label', tPlaceholder: 'placeholder', tTitle: 'title' };

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Props} [props]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  apply(element, props);
  append(element, children);
  return element;
}

/**
 * The same for a drawing.
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Props} [props]
 * @param {...Child} children
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function svg(tag, props = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  apply(element, props);
  append(element, children);
  return element;
}

/** A time of day. @param {Date} at */
export function time(at) {
  const element = h('time', { datetime: at.toISOString() });
  showTime(element);
  return element;
}

/** Somebody's words, in whatever direction they are written. @param {string} text @param {string} [className] */
export function foreign(text, className = '') {
  return h('bdi', { class: className || false }, text);
}

/**
 * Gives an element other children, and keeps those nodes that stay.
 * @param {Element} parent
 * @param {Node[]} children
 */
export function arrange(parent, children) {
  const wanted = new Set(children);
  for (const node of [...parent.childNodes]) if (!wanted.has(/** @type {ChildNode} */ (node))) node.remove();
  for (const [i, child] of children.entries()) {
    if (parent.childNodes[i] !== child) parent.insertBefore(child, parent.childNodes[i] ?? null);
  }
}

/** @param {Element} element @param {Props} props */
function apply(element, props) {
  for (const [name, value] of Object.entries(props)) {
    const slot = WORD_PROPS[name];
    if (slot && value) {
      const [key, values] = Array.isArray(value) ? value : [value, {}];
      say(element, key, values, slot);
    } else if (name === 'on') {
      for (const [event, listener] of Object.entries(props.on ?? {})) element.addEventListener(event, listener);
    } else if (value === true) {
      element.setAttribute(name, '');
    } else if (value !== false && value !== undefined && value !== null) {
      element.setAttribute(name, String(value));
    }
  }
}

/** @param {Element} element @param {Child[]} children */
function append(element, children) {
  for (const child of children) if (child) element.append(child);
}
