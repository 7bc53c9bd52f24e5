/** Who is in the room that was chosen, and how much each of them says; each can be sent away. */
import { say } from '../i18n.js';
import { confirm } from '../ui/confirm-dialog.js';
import { foreign, h } from '../ui/dom.js';
import { icon } from '../ui/icons.js';
import { bytes, count } from './amount.js';
import { done } from './done.js';
import { LiveTable } from './live_table.js';
import { moment } from './moment.js';

/** @typedef {import('./admin_api.js').PeerRow} PeerRow */

/** What a peer is behind by when it is worth a look: a quarter of what the server keeps for one. */
const MUCH_BYTES = 262_144;
/** For how long somebody may be kept out. @type {[value: string, words: string][]} */
const BANS = [
  ['', 'admin.ban.none'],
  ['10m', 'admin.ban.minutes'],
  ['1h', 'admin.ban.hour'],
  ['24h', 'admin.ban.day'],
];

export class AdminPeers extends HTMLElement {
  /** @type {import('./admin_api.js').AdminApi | null} */
  api = null;
  /** @type {import('./watch.js').Watch | null} */
  #watch = null;
  #title = h('h2', { id: 'peers-heading' });
  #note = h('p', { class: 'note' });
  #table = new LiveTable({
    label: 'admin.peers.list',
    key: (/** @type {PeerRow} */ { id }) => id,
    columns: [
      { t: 'admin.peer', kind: 'name', look: ({ id }) => id, render: ({ id }) => foreign(id) },
      { t: 'admin.sub', look: ({ sub }) => sub || '–', render: ({ sub }) => foreign(sub || '–') },
      { t: 'admin.state', look: (row) => stateOf(row), render: (row) => chip(stateOf(row)) },
      { t: 'admin.since', look: ({ joinedAt }) => joinedAt, render: ({ joinedAt }) => moment(joinedAt) },
      { t: 'admin.messages', kind: 'number', look: (row) => `${count(row.messagesIn)} / ${count(row.messagesOut)}` },
      { t: 'admin.bytes', kind: 'number', look: (row) => `${bytes(row.bytesIn)} / ${bytes(row.bytesOut)}` },
      { t: 'admin.queued', kind: 'number', look: ({ queuedBytes }) => bytes(queuedBytes) },
      { t: 'admin.actions', kind: 'actions', look: ({ sub }) => sub, render: (row) => this.#actions(row) },
    ],
  });

  connectedCallback() {
    if (this.firstChild) return;
    this.append(h('div', { class: 'card-head' }, this.#title), this.#note, this.#table.element);
    this.#show();
  }

  /** @param {import('./watch.js').Watch} watch */
  set watch(watch) {
    this.#watch = watch;
    watch.on('change', () => this.#show());
  }

  #show() {
    const room = this.#watch?.room ?? null;
    const peers = room === null ? [] : (this.#watch?.seen?.peers ?? []);
    say(this.#title, room === null ? 'admin.peers.heading' : 'admin.peers.in', { room: room ?? '' });
    this.#table.show(peers);
    this.#table.element.hidden = peers.length === 0;
    this.#note.hidden = peers.length > 0;
    say(this.#note, room === null ? 'admin.peers.choose' : 'admin.peers.none');
  }

  /** @param {PeerRow} row */
  #actions({ id, sub }) {
    const kick = this.#button('kick', 'leave', { peer: id }, () => void this.#kick(id));
    const revoke = sub && this.#button('revoke', 'lock', { sub }, () => this.#revoke(sub));
    return h('span', { class: 'row-actions' }, kick, revoke);
  }

  /** @param {'kick' | 'revoke'} what @param {import('../ui/icons.js').IconName} picture @param {import('../i18n.js').Params} params @param {() => void} click */
  #button(what, picture, params, click) {
    const props = { type: 'button', class: 'quiet icon-only', 'data-do': what, on: { click } };
    const tLabel = /** @type {import('../ui/dom.js').Words} */ ([`admin.${what}`, params]);
    return h('button', { ...props, tLabel, tTitle: `admin.${what}.short` }, icon(picture));
  }

  /** @param {string} peer */
  async #kick(peer) {
    const room = this.#watch?.room;
    if (typeof room !== 'string') return;
    const ban = await confirm({
      title: ['admin.kick.title', { peer, room }],
      text: 'admin.kick.text',
      action: 'admin.kick.short',
      choice: { label: 'admin.ban', options: BANS },
    });
    if (ban !== null) await done(this, this.api?.kick(room, peer, ban), ['admin.kick.done', { peer }]);
  }

  /** @param {string} sub */
  #revoke(sub) {
    this.dispatchEvent(new CustomEvent('revoke-wanted', { bubbles: true, detail: sub }));
  }
}

/** @param {PeerRow} row */
function stateOf({ away, queuedBytes }) {
  return away ? 'away' : queuedBytes >= MUCH_BYTES ? 'slow' : 'here';
}

/** @param {string} state */
function chip(state) {
  const kind = { here: 'good', slow: 'busy' }[state] ?? '';
  return h('span', { class: `chip ${kind}`, t: `admin.peer.${state}` });
}

customElements.define('admin-peers', AdminPeers);
