/** A form's fields: each with its label, its control and a place for what is wrong with it. */
import { DESCRIPTION_CHARS, STATUSES, TITLE_CHARS } from '../items.js';
import { knows, say, sayPlain } from '../i18n.js';
import { h } from './dom.js';

/** @typedef {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} Control */

/** @type {Record<string, number>} */
const LONGEST = { title: TITLE_CHARS, description: DESCRIPTION_CHARS };

let fields = 0;

/**
 * @param {object} options
 * @param {string} options.label key
 * @param {Control} options.control gets an id and the ties to its label and error
 * @param {string} [options.hint] key
 * @param {string} [options.className]
 */
export function field({ label, control, hint, className = '' }) {
  fields += 1;
  control.id ||= `field-${fields}`;
  const hintId = hint ? `${control.id}-hint` : '';
  const errorId = `${control.id}-error`;
  control.setAttribute('aria-describedby', [hintId, errorId].filter(Boolean).join(' '));
  return h(
    'div',
    { class: `field ${className}`.trim() },
    h('label', { for: control.id, t: label }),
    control,
    hint && h('p', { class: 'hint', id: hintId, t: hint }),
    h('p', { class: 'error', id: errorId, hidden: true }),
  );
}

/** The choice of a status. @param {string} name @param {import('../items.js').ItemStatus} [chosen] */
export function statusSelect(name, chosen = 'active') {
  const options = STATUSES.map((status) => h('option', { value: status, t: `status.${status}` }));
  const select = h('select', { name }, ...options);
  select.value = chosen;
  return select;
}

/**
 * Says what is wrong with a control, or that nothing is.
 * @param {Control} control
 * @param {{ key: string, params?: import('../i18n.js').Params } | { text: string } | null} problem
 */
export function setError(control, problem) {
  const place = document.getElementById(`${control.id}-error`);
  if (!place) return;
  place.hidden = !problem;
  control.toggleAttribute('aria-invalid', Boolean(problem));
  if (problem) control.setAttribute('aria-invalid', 'true');
  if (!problem) sayPlain(place, '');
  else if ('key' in problem) say(place, problem.key, problem.params);
  else sayPlain(place, problem.text);
}

/** @param {HTMLFormElement} form */
export function controls(form) {
  return [...form.elements].filter(
    /** @returns {element is Control} */ (element) => 'name' in element && Boolean(element.name) && 'value' in element,
  );
}

/**
 * Shows what the server says is wrong, each at its field, in the user's words where the page has them. The first such
 * field gets the focus.
 * @param {HTMLFormElement} form
 * @param {import('../items.js').ApiError} error
 * @returns {boolean} whether there was a field for it
 */
export function showFieldErrors(form, error) {
  const wrong = controls(form).filter(({ name }) => error.fields.has(name));
  for (const control of wrong) setError(control, problemOf(control, error.fields.get(control.name) ?? ''));
  wrong[0]?.focus();
  return wrong.length > 0;
}

/** @param {HTMLFormElement} form */
export function clearErrors(form) {
  for (const control of controls(form)) setError(control, null);
}

/** @param {Control} control @param {string} text */
function problemOf(control, text) {
  const kind =
    control.value.trim() === ''
      ? 'empty'
      : [...control.value].length > (LONGEST[control.name] ?? Infinity)
        ? 'long'
        : 'other';
  const key = `field.${control.name}.${kind}`;
  return knows(key) ? { key } : { text };
}

/** The key for an error that belongs to no field. @param {import('../items.js').ApiError} error */
export function errorKey(error) {
  const key = `error.${error.code}`;
  return knows(key) ? key : 'error.other';
}
