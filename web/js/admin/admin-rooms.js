/** The rooms that there are, those with the most peers first; each can be looked into, and closed. */
import { say } from '../i18n.js';
import { confirm } from '../ui/confirm-dialog.js';
import { foreign, h } from '../ui/dom.js';
import { field } from '../ui/field.js';
import { icon } from '../ui/icons.js';
import { count } from './amount.js';
import { done } from './done.js';
import { LiveTable } from './live_table.js';

/** @typedef {import('./admin_api.js').RoomRow} RoomRow */

/** More rows than that nobody reads: there is the search. */
const SHOWN = 200;

export class AdminRooms extends HTMLElement {
  /** @type {import('./admin_api.js').AdminApi | null} */
  api = null;
  /** @type {import('./watch.js').Watch | null} */
  #watch = null;
  #search = h('input', { type: 'search', id: 'admin-search', autocomplete: 'off' });
  #note = h('p', { class: 'note', t: 'admin.loading' });
  #more = h('p', { class: 'hint' });
  #table = new LiveTable({
    label: 'admin.rooms.list',
    key: (/** @type {RoomRow} */ { id }) => id,
    columns: [
      {
        t: 'admin.room',
        kind: 'name',
        look: ({ id }) => `${id === this.#watch?.room}`,
        render: (row) => this.#open(row),
      },
      { t: 'admin.peers', kind: 'number', look: ({ peers }) => count(peers) },
      { t: 'admin.actions', kind: 'actions', look: () => 'close', render: (row) => this.#close(row) },
    ],
  });

  connectedCallback() {
    if (this.firstChild) return;
    this.#search.addEventListener('input', () => this.#show());
    this.append(field({ label: 'admin.search', control: this.#search }), this.#note, this.#table.element, this.#more);
  }

  /** @param {import('./watch.js').Watch} watch */
  set watch(watch) {
    this.#watch = watch;
    watch.on('change', () => this.#show());
  }

  #show() {
    const seen = this.#watch?.seen;
    if (!seen) return;
    const wanted = this.#search.value.trim().toLowerCase();
    const rooms = seen.rooms
      .filter(({ id }) => id.toLowerCase().includes(wanted))
      .sort((a, b) => b.peers - a.peers || (a.id < b.id ? -1 : 1));
    this.#table.show(rooms.slice(0, SHOWN));
    this.#table.element.hidden = rooms.length === 0;
    this.#note.hidden = rooms.length > 0;
    say(this.#note, seen.rooms.length ? 'admin.rooms.no_match' : 'admin.rooms.none');
    this.#more.hidden = rooms.length <= SHOWN;
    say(this.#more, 'admin.rooms.more', { count: rooms.length - SHOWN });
  }

  /** @param {RoomRow} row */
  #open({ id }) {
    const chosen = id === this.#watch?.room;
    const click = () => void this.#watch?.choose(id === this.#watch.room ? null : id);
    const props = { type: 'button', class: 'link', 'data-do': 'open', 'aria-pressed': String(chosen), on: { click } };
    return h('button', props, foreign(id));
  }

  /** @param {RoomRow} row */
  #close({ id }) {
    const click = async () => {
      /** @type {import('../i18n.js').Params} */
      const params = { room: id };
      const answer = await confirm({
        title: ['admin.close.title', params],
        text: 'admin.close.text',
        action: 'admin.close.short',
      });
      if (answer !== null) await done(this, this.api?.close(id), ['admin.close.done', params]);
    };
    const props = { type: 'button', class: 'quiet icon-only', 'data-do': 'close', on: { click: () => void click() } };
    return h('button', { ...props, tLabel: ['admin.close', { room: id }], tTitle: 'admin.close.short' }, icon('trash'));
  }
}

customElements.define('admin-rooms', AdminRooms);
