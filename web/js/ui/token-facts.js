/** What a token says, in words: who, what, until when. */
import { h } from './dom.js';
import { foreign } from './dom.js';

/** @typedef {import('../token.js').Claims} Claims */

/** @param {Claims} claims */
export function tokenFacts(claims) {
  const { sub, until, grants } = claims;
  const { rooms, peerId, publish, items, list, admin } = grants;
  const more = [list && 'list', admin && 'admin', !publish && 'listens'].filter((name) => typeof name === 'string');
  return h(
    'dl',
    { class: 'facts' },
    ...fact('sub', foreign(sub)),
    ...fact('until', until === null ? h('span', { t: 'token.no_end' }) : endOf(until)),
    ...fact('rooms', rooms.length ? foreign(rooms.join(', ')) : h('span', { t: 'token.no_rooms' })),
    ...(peerId === null ? [] : fact('peer', foreign(peerId))),
    ...fact('items', h('span', { t: `token.items.${items ?? 'none'}` })),
    ...(more.length ? fact('more', h('span', {}, ...joined(more))) : []),
  );
}

/** @param {number} until */
export function endOf(until) {
  return h('span', { class: 'until', t: ['token.at', { at: new Date(until) }] });
}

/** @param {string} name @param {Node} value */
function fact(name, value) {
  return [h('dt', { t: `token.fact.${name}` }), h('dd', {}, value)];
}

/** @param {string[]} names */
function joined(names) {
  return names.flatMap((name, i) => [i > 0 && ', ', h('span', { t: `token.more.${name}` })]);
}
