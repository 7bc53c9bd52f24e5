/** Who else is in the room, and how the connection to each of them is. */
import { HOME } from '../home.js';
import { say } from '../i18n.js';
import { arrange, h } from './dom.js';
import { icon } from './icons.js';
import { avatar, names } from './peer-face.js';

/** @typedef {[kind: string, picture: import('./icons.js').IconName]} Look */

/** @type {Record<import('../liveness.js').PairState, Look>} */
const LOOKS = {
  connecting: ['busy', 'clock'],
  open: ['good', 'check'],
  interrupted: ['busy', 'warn'],
  rebuilding: ['busy', 'load'],
  failed: ['bad', 'cross'],
};

/** What is said meanwhile is kept for it. @type {import('../liveness.js').PairState[]} */
const WAITING = ['interrupted', 'rebuilding'];

export class RoomPeers extends HTMLElement {
  /** @type {import('../page_room.js').PageRoom | null} */
  #pageRoom = null;
  /** @type {Map<string, HTMLLIElement>} */
  #rows = new Map();
  #list = h('ul', { class: 'peers', tLabel: 'peers.list' });
  #empty = h('div', { class: 'note' });
  #command = /** @type {import('./copy-text.js').CopyText} */ (document.createElement('copy-text'));
  #link = /** @type {import('./copy-text.js').CopyText} */ (document.createElement('copy-text'));

  connectedCallback() {
    if (this.firstChild) return;
    this.append(this.#list, this.#empty);
  }

  /** @param {import('../page_room.js').PageRoom} pageRoom */
  set pageRoom(pageRoom) {
    this.#pageRoom = pageRoom;
    pageRoom.on('status', () => this.#show());
    pageRoom.on('peer', ({ peer, change }) => (change === 'path' ? this.#showPath(peer) : this.#show()));
    this.#show();
  }

  #show() {
    const pageRoom = this.#pageRoom;
    if (!pageRoom) return;
    const peers = pageRoom.peers;
    this.#rows = new Map(peers.map((peer) => [peer.id, this.#row(peer, this.#rows.get(peer.id))]));
    arrange(this.#list, [...this.#rows.values()]);
    for (const peer of peers) this.#showPath(peer);
    this.#list.hidden = peers.length === 0;
    this.#empty.hidden = peers.length > 0;
    if (peers.length === 0) this.#showEmpty(pageRoom);
  }

  /** @param {import('../page_room.js').PageRoom} pageRoom */
  #showEmpty(pageRoom) {
    const joined = pageRoom.status.state === 'joined';
    const room = pageRoom.roomName || 'room1';
    this.#command.text = command(room);
    this.#link.text = roomLink(room);
    arrange(
      this.#empty,
      joined
        ? [
            h('p', { class: 'empty-title', t: 'peers.alone' }),
            h('p', { t: 'peers.open_link' }),
            this.#link,
            h('p', { t: 'peers.run_command' }),
            this.#command,
          ]
        : [h('p', { class: 'empty-title', t: 'peers.none' }), h('p', { t: 'peers.none_hint' })],
    );
  }

  /** @param {import('../room.js').Peer} peer @param {HTMLLIElement | undefined} known */
  #row(peer, known) {
    const takes = peer.messageBytes > 0;
    const look = JSON.stringify([peer.state, peer.away, takes, peer.metadata]);
    if (known?.dataset.look === look) return known;
    const [kind, picture] = LOOKS[peer.state];
    const write = () => this.dispatchEvent(new CustomEvent('peer-chosen', { bubbles: true, detail: peer.id }));
    const row = known ?? h('li', { class: 'peer' });
    row.dataset.look = look;
    const action =
      peer.state === 'failed'
        ? this.#action('peers.retry', 'load', peer.id, () => this.#pageRoom?.reconnect(peer.id))
        : takes && this.#action('peers.write', 'send', peer.id, write);
    row.replaceChildren(
      avatar(peer),
      h(
        'div',
        { class: 'peer-main' },
        ...names(peer, 'peer-name'),
        h('span', { class: `chip ${kind}` }, icon(picture), h('span', { t: `peers.${peer.state}` })),
        peer.away && h('span', { class: 'chip away' }, icon('pause'), h('span', { t: 'peers.away' })),
        takes && WAITING.includes(peer.state) && h('span', { class: 'waits', t: 'peers.waits' }),
        h('span', { class: 'path' }),
      ),
    );
    if (action) row.append(action);
    return row;
  }

  /** @param {string} key @param {import('./icons.js').IconName} picture @param {string} peer @param {() => void} click */
  #action(key, picture, peer, click) {
    const label = /** @type {import('./dom.js').Words} */ ([key, { peer }]);
    const props = { type: 'button', class: 'quiet icon-only', tLabel: label, tTitle: label, on: { click } };
    return h('button', props, icon(picture));
  }

  /** @param {import('../room.js').Peer} peer */
  #showPath(peer) {
    const place = this.#rows.get(peer.id)?.querySelector('.path');
    if (!place) return;
    if (!peer.path) {
      place.replaceChildren();
      return;
    }
    const { local, remote, protocol, rttMs } = peer.path;
    const how = local === 'relay' || remote === 'relay' ? 'path.relayed' : 'path.direct';
    if (!place.firstChild) place.append(h('span'), h('span'), h('span', { class: 'rtt' }));
    const [way, candidates, rtt] = /** @type {HTMLElement[]} */ ([...place.children]);
    if (!way || !candidates || !rtt) return;
    say(way, how);
    candidates.textContent = `${local} ↔ ${remote} · ${protocol.toUpperCase()}`;
    if (rttMs !== null) say(rtt, rttMs < 1 ? 'path.rtt_short' : 'path.rtt', { ms: Math.round(rttMs) });
  }
}

/** The address that brings a tab into this room. @param {string} room */
export function roomLink(room) {
  return new URL(`?room=${encodeURIComponent(room)}`, HOME).href;
}

/** The command that brings a native peer into this room. @param {string} room */
export function command(room) {
  const word = /^[\w.-]+$/.test(room) ? room : `'${room.replaceAll("'", "'\\''")}'`;
  const server = HOME.replace(/^http/, 'ws').replace(/\/$/, '');
  return `grtc-peer join ${word}${server === 'ws://127.0.0.1:8001' ? '' : ` --server ${server}`}`;
}

customElements.define('room-peers', RoomPeers);
