/** What happened in the room, the newest last. */
import { knows } from '../i18n.js';
import { h, time } from './dom.js';
import { statusKey } from './room-form.js';

const KEPT = 200;

export class RoomLog extends HTMLElement {
  #list = h('ol');
  #log = h('div', { class: 'log', role: 'log', tabindex: '0', tLabel: 'log.list' }, this.#list);
  #empty = h('p', { class: 'note', t: 'log.empty' });
  #lost = false;

  connectedCallback() {
    if (!this.firstChild) this.append(this.#empty, this.#log);
  }

  /** @param {import('../page_room.js').PageRoom} pageRoom */
  set pageRoom(pageRoom) {
    pageRoom.on('status', (status) => this.#status(status, pageRoom));
    pageRoom.on('peer', ({ peer, change, reason }) => this.#peer(peer, change, reason));
    pageRoom.on('error', ({ code, message, peer, limit, count }) => {
      const key = knows(`log.error.${code}`) ? `log.error.${code}` : 'log.error.other';
      this.#add([key, { message, peer: peer ?? '', limit: limit ?? 0, count: count ?? 0 }], 'bad');
    });
  }

  /** @param {import('../room.js').RoomStatus} status @param {import('../page_room.js').PageRoom} pageRoom */
  #status(status, pageRoom) {
    if (status.state === 'joined') {
      const params = { room: pageRoom.roomName, peer: pageRoom.peerId, count: status.peers.length };
      const key = status.rejoined ? 'log.rejoined' : 'log.joined';
      const alone = status.peers.length === 0 ? `${key}_alone` : key;
      this.#add([status.recovered ? 'log.recovered' : alone, params], 'good');
      this.#lost = false;
    } else if (status.state === 'waiting' && !this.#lost) {
      this.#lost = true;
      this.#add(statusKey(status), 'bad');
    } else if (status.state === 'closed') {
      this.#lost = false;
      this.#add(statusKey(status), status.word === 'left' ? '' : 'bad');
    }
  }

  /** @param {import('../room.js').Peer} peer @param {string} change @param {string} [reason] */
  #peer(peer, change, reason) {
    if (change === 'path' || change === 'updated') return;
    const open = change === 'away' && peer.state === 'open' ? '_open' : '';
    const name = change === 'state' ? peer.state : `${change}${open}`;
    if (name === 'connecting') return;
    const why = reason && knows(`log.peer.left.${reason}`) ? `.${reason}` : '';
    const key = change === 'left' ? `log.peer.left${why}` : `log.peer.${name}`;
    this.#add([key, { peer: peer.id }], name === 'open' ? 'good' : name === 'failed' ? 'bad' : '');
  }

  /** @param {import('./dom.js').Words} t @param {string} kind */
  #add(t, kind) {
    this.#empty.hidden = true;
    const log = this.#log;
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    this.#list.append(h('li', { class: kind }, time(new Date()), h('span', { t })));
    while (this.#list.childElementCount > KEPT) this.#list.firstElementChild?.remove();
    if (atEnd) log.scrollTop = log.scrollHeight;
  }
}

customElements.define('room-log', RoomLog);
