/** A small picture of the mesh: this peer in the middle, the others around it, a line for each connection. */
import { say } from '../i18n.js';
import { svg } from './dom.js';
import { inkOn, readProfile } from '../profile.js';
import { initial } from './peer-face.js';

const WIDTH = 320;
/** From this peer to the one farthest from it. */
const REACH = 122;
/** With more peers than this their names would lie upon one another. */
const NAMED = 8;

export class RoomMesh extends HTMLElement {
  /** @type {import('../page_room.js').PageRoom | null} */
  #pageRoom = null;
  #picture = svg('svg', { role: 'img' });

  connectedCallback() {
    if (!this.firstChild) this.append(this.#picture);
  }

  /** @param {import('../page_room.js').PageRoom} pageRoom */
  set pageRoom(pageRoom) {
    this.#pageRoom = pageRoom;
    pageRoom.on('status', () => this.#show());
    pageRoom.on('profile', () => this.#show());
    pageRoom.on('peer', ({ change }) => change === 'path' || this.#show());
    this.#show();
  }

  #show() {
    const pageRoom = this.#pageRoom;
    if (!pageRoom) return;
    const peers = pageRoom.peers;
    this.hidden = peers.length === 0;
    const open = peers.filter(({ state }) => state === 'open').length;
    say(this.#picture, 'mesh.summary', { open, count: peers.length }, 'aria-label');
    // One or two others stand on a line with this peer, more of them around it.
    const height = peers.length > 2 ? 200 : 70;
    this.#picture.setAttribute('viewBox', `0 0 ${WIDTH} ${height}`);
    const centre = {
      x: WIDTH / 2 + (peers.length === 1 ? REACH / 2 : 0),
      y: peers.length > 2 ? height / 2 : height / 2 - 8,
    };
    const places = peers.map((_, i) => place(centre, i, peers.length));
    const radius = peers.length > 24 ? 6 : peers.length > NAMED ? 10 : 15;
    this.#picture.replaceChildren(
      ...peers.map((peer, i) => line(centre, places[i] ?? centre, peer)),
      ...peers.map((peer, i) =>
        node(places[i] ?? centre, radius, peer.state, { ...readProfile(peer.metadata), id: peer.id }),
      ),
      node(centre, 18, 'me', { ...pageRoom.profile, id: pageRoom.peerId }),
      ...(peers.length > NAMED
        ? []
        : peers.map((peer, i) =>
            label(centre, places[i] ?? centre, readProfile(peer.metadata).name || peer.id, radius),
          )),
    );
  }
}

/** @typedef {{ x: number, y: number }} Place */

/** Where the i-th of n stands, on an ellipse, beginning at the left. @param {Place} centre @param {number} i @param {number} n */
function place(centre, i, n) {
  const angle = Math.PI + (2 * Math.PI * i) / n;
  return { x: centre.x + REACH * Math.cos(angle), y: centre.y + 66 * Math.sin(angle) };
}

/** @param {Place} from @param {Place} to @param {import('../room.js').Peer} peer */
function line(from, to, peer) {
  const [x1, y1, x2, y2] = [from.x, from.y, to.x, to.y].map((value) => value.toFixed(1));
  return svg('line', { class: `mesh-line ${peer.state} ${peer.away ? 'away' : ''}`, x1, y1, x2, y2 });
}

/** @param {Place} at @param {number} r @param {string} state @param {import('../profile.js').Profile & { id: string }} who */
function node({ x, y }, r, state, { id, name, color }) {
  const [cx, cy] = [x.toFixed(1), y.toFixed(1)];
  const circle = svg('circle', { cx, cy, r });
  const letter = svg('text', { x: cx, y: cy, dy: '0.35em' }, initial(name || id));
  if (color) {
    circle.style.fill = color;
    letter.style.fill = inkOn(color);
  }
  return svg('g', { class: `mesh-node ${state}` }, circle, r >= 10 && letter);
}

/** A name on the side of its node that is away from the lines. @param {Place} centre @param {Place} at @param {string} name @param {number} r */
function label(centre, at, name, r) {
  const short = [...name].length > 14 ? `${[...name].slice(0, 13).join('')}…` : name;
  const y = at.y < centre.y - 1 ? at.y - r - 5 : at.y + r + 12;
  // Whole names, at the edge too: a letter is about six units wide.
  const half = Math.min(WIDTH / 2, [...short].length * 3.2);
  const x = Math.min(Math.max(at.x, half), WIDTH - half);
  return svg('text', { class: 'mesh-name', x: x.toFixed(1), y: y.toFixed(1) }, short);
}

customElements.define('room-mesh', RoomMesh);
