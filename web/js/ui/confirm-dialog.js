/** Asks before something is done that can't be undone. */
import { h } from './dom.js';
import { field } from './field.js';

/**
 * @typedef {import('./dom.js').Words} Words
 * @typedef {object} Question
 * @property {Words} title
 * @property {Words} text what will happen
 * @property {Words} action what the button that does it says
 * @property {{ label: string, options: [value: string, words: string][] }} [choice]
 */

/** @param {Question} question @returns {Promise<string | null>} what was chosen (nothing: an empty text); null: it is not to be done */
export function confirm({ title, text, action, choice }) {
  const select = h('select', { name: 'choice', id: 'confirm-choice' });
  for (const [value, t] of choice?.options ?? []) select.append(h('option', { value, t }));
  const cancel = h('button', { type: 'button', t: 'confirm.cancel' });
  const form = h(
    'form',
    {},
    choice && field({ label: choice.label, control: select }),
    h('div', { class: 'actions' }, h('button', { type: 'submit', class: 'danger', t: action }), cancel),
  );
  const dialog = h(
    'dialog',
    { class: 'dialog', role: 'alertdialog', 'aria-labelledby': 'confirm-title', 'aria-describedby': 'confirm-text' },
    h('h2', { id: 'confirm-title', t: title }),
    h('p', { id: 'confirm-text', t: text }),
    form,
  );
  /** @type {string | null} */
  let answer = null;
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    answer = select.value;
    dialog.close();
  });
  cancel.addEventListener('click', () => dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  // What can't be undone is not done by a key that was pressed for something else.
  if (choice) select.focus();
  else cancel.focus();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(answer);
    });
  });
}
