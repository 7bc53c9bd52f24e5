/** How a peer is shown: its name, if it has given one, never without its id; its colour; a letter. */
import { inkOn, readProfile } from '../profile.js';
import { foreign, h } from './dom.js';

/** @typedef {{ id: string, metadata: Record<string, unknown> }} Somebody */

/** @param {Somebody} peer */
export function avatar({ id, metadata }) {
  const { name, color } = readProfile(metadata);
  const element = h('span', { class: 'avatar', 'aria-hidden': 'true' }, initial(name || id));
  paint(element, color);
  return element;
}

/** Name and id: the id alone is what the server vouches for. @param {Somebody} peer @param {string} className */
export function names({ id, metadata }, className) {
  const { name } = readProfile(metadata);
  return name ? [foreign(name, className), foreign(id, 'peer-id')] : [foreign(id, className)];
}

/** The same as one text. @param {Somebody} peer */
export function plainName({ id, metadata }) {
  const { name } = readProfile(metadata);
  return name ? `${name} · ${id}` : id;
}

/** A spot in the peer's colour, if it has one. @param {Somebody} peer */
export function spot({ metadata }) {
  const { color } = readProfile(metadata);
  if (!color) return null;
  const element = h('span', { class: 'spot', 'aria-hidden': 'true' });
  paint(element, color);
  return element;
}

/** @param {HTMLElement} element @param {string} color */
function paint(element, color) {
  if (!color) return;
  element.style.backgroundColor = color;
  element.style.color = inkOn(color);
}

/** @param {string} name */
export function initial(name) {
  return ([...name].find((character) => /[\p{L}\p{N}]/u.test(character)) ?? '·').toUpperCase();
}
