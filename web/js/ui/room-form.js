/** Into a room and out of it, and how the connection to the server is. */
import { InvalidName, parseName } from '../names.js';
import { knows, say } from '../i18n.js';
import { recall, remember, rememberInside, wasInside } from '../memory.js';
import { copy } from './copy-text.js';
import { foreign, h } from './dom.js';
import { field, setError } from './field.js';
import { icon } from './icons.js';
import { roomLink } from './room-peers.js';
import { showToast } from './toast-stack.js';

/** @type {Record<import('../room.js').RoomStatus['state'], [kind: string, picture: import('./icons.js').IconName]>} */
const LOOKS = {
  idle: ['off', 'pause'],
  connecting: ['busy', 'clock'],
  open: ['busy', 'clock'],
  joined: ['good', 'check'],
  waiting: ['busy', 'warn'],
  closed: ['off', 'pause'],
};

export class RoomForm extends HTMLElement {
  /** @type {import('../page_room.js').PageRoom | null} */
  #pageRoom = null;
  #room = h('input', { name: 'room', id: 'room-name', autocomplete: 'off', spellcheck: 'false' });
  #peer = h('input', { name: 'peer', id: 'peer-id', autocomplete: 'off', spellcheck: 'false' });
  #form = h('form', { novalidate: true, tLabel: 'room.form' });
  #asked = false;
  #access = h('p', { class: 'reason', hidden: true }, icon('lock'));
  #suggestion = h('button', { type: 'button', class: 'link', hidden: true });
  #picture = h('span', { class: 'status-icon' });
  #words = h('span', { id: 'room-status', role: 'status' });
  #goOn = h('span', { t: 'room.channels_go_on', hidden: true });
  #wait = h('span', { class: 'wait' });
  #retry = h('button', { type: 'button', class: 'link', t: 'room.retry', hidden: true });
  #said = h('div', { class: 'status-words' }, this.#words, this.#goOn, this.#wait, this.#retry);
  #bar = h('div', { class: 'room-status' }, this.#picture, this.#said);
  #inside = h('p', { class: 'inside', hidden: true });
  #leave = h('button', { type: 'button' }, icon('leave'), h('span', { t: 'room.leave' }));
  #link = h('button', { type: 'button', class: 'quiet' }, icon('link'), h('span', { t: 'room.copy_link' }));
  #leaveBar = h('div', { class: 'leave-bar', hidden: true }, this.#inside, this.#link, this.#leave);
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #countdown;

  connectedCallback() {
    if (this.firstChild) return;
    this.#form.append(
      field({ label: 'room.name', control: this.#room }),
      field({ label: 'room.peer', control: this.#peer }),
      h('button', { type: 'submit', class: 'primary' }, icon('people'), h('span', { t: 'room.join' })),
      this.#suggestion,
      this.#access,
    );
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.join();
    });
    for (const control of [this.#room, this.#peer]) control.addEventListener('input', () => this.#clear(control));
    this.#suggestion.addEventListener('click', () => {
      this.#peer.value = this.#suggestion.value;
      this.#clear(this.#peer);
      this.join();
    });
    this.#leave.addEventListener('click', () => {
      this.#pageRoom?.leave();
      this.#room.focus();
    });
    this.#link.addEventListener('click', () => void this.#copyLink());
    this.#retry.addEventListener('click', () => this.#pageRoom?.retry());
    this.append(this.#bar, this.#form, this.#leaveBar);
  }

  /** @param {import('../page_room.js').PageRoom} pageRoom */
  set pageRoom(pageRoom) {
    this.#pageRoom = pageRoom;
    pageRoom.on('status', (status) => this.#show(status));
    pageRoom.on('access', () => this.#showAccess());
    this.#showAccess();
    this.#show(pageRoom.status);
  }

  /** @param {{ room: string, peer: string, asked?: boolean }} names `asked`: the room was asked for, and is no guess */
  fill({ room, peer, asked = false }) {
    this.#room.value = room;
    this.#peer.value = peer;
    this.#asked = asked;
    this.#showAccess();
  }

  /** Which rooms the user's token opens, and under which id; one of them stands there already, unless another was asked for. */
  #showAccess() {
    const grants = this.#pageRoom?.grants ?? null;
    const rooms = grants?.rooms ?? [];
    const [first] = rooms.filter((room) => !room.endsWith('*'));
    if (first !== undefined && !this.#asked && !this.#pageRoom?.allows(this.#room.value.trim()))
      this.#room.value = first;
    if (grants?.peerId) this.#peer.value = grants.peerId;
    this.#peer.readOnly = Boolean(grants?.peerId);
    this.#access.hidden = !grants || (rooms.includes('*') && !grants.peerId);
    const key = `room.access.${rooms.length ? 'rooms' : 'none'}${grants?.peerId ? '_as' : ''}`;
    const words = h('span', { t: [key, { rooms: rooms.join(', '), peer: grants?.peerId ?? '' }] });
    this.#access.replaceChildren(icon('lock'), words);
  }

  /** @param {boolean} [returning] this tab was in the room a moment ago */
  join(returning = false) {
    const [room, peer] = [this.#room, this.#peer].map((control) => this.#name(control));
    if (room === undefined || peer === undefined) return;
    if (!this.#pageRoom?.allows(room)) {
      setError(this.#room, { key: 'room.not_in_token' });
      return this.#room.focus();
    }
    remember('room', room);
    remember('peer', peer);
    this.#pageRoom?.join(room, peer, returning);
  }

  async #copyLink() {
    const link = roomLink(this.#pageRoom?.roomName ?? '');
    if (!(await copy(link))) showToast({ t: ['room.link', { link }], ms: 20_000 });
  }

  /** @param {HTMLInputElement} control @returns {string | undefined} */
  #name(control) {
    try {
      const name = parseName(control.value.trim());
      setError(control, null);
      return name;
    } catch (error) {
      if (!(error instanceof InvalidName)) throw error;
      setError(control, { key: `name.${error.problem}`, params: { character: error.character ?? '' } });
      control.focus();
      return undefined;
    }
  }

  /** @param {HTMLInputElement} control */
  #clear(control) {
    setError(control, null);
    this.#suggestion.hidden = true;
  }

  /** @param {import('../room.js').RoomStatus} status */
  #show(status) {
    const [kind, picture] = LOOKS[status.state];
    const active = this.#pageRoom?.active ?? false;
    if (status.state === 'joined') rememberInside(true);
    if (status.state === 'closed' && !this.#pageRoom?.suspended) rememberInside(false);
    const hadFocus = this.#form.contains(document.activeElement);
    this.#bar.className = `room-status ${kind}`;
    this.#picture.replaceChildren(icon(picture));
    say(this.#words, statusKey(status));
    this.#form.hidden = active;
    this.#leaveBar.hidden = this.#inside.hidden = !active;
    this.#inside.replaceChildren(
      h('span', { class: 'label', t: 'room.you_are' }),
      foreign(this.#pageRoom?.peerId ?? '', 'me'),
      h('span', { class: 'label', t: 'room.in' }),
      foreign(this.#pageRoom?.roomName ?? '', 'room'),
    );
    if (active && hadFocus) this.#leave.focus();
    this.#showWait(status);
    if (status.state === 'closed' && status.word === 'peer_id_taken') this.#taken();
  }

  /** @param {import('../room.js').RoomStatus} status */
  #showWait(status) {
    clearInterval(this.#countdown);
    this.#retry.hidden = this.#wait.hidden = status.state !== 'waiting';
    const open = this.#pageRoom?.peers.some(({ state }) => state === 'open') ?? false;
    this.#goOn.hidden = status.state !== 'waiting' || !open;
    if (status.state !== 'waiting') return;
    const until = performance.now() + status.delayMs;
    const tick = () => {
      const count = Math.max(0, Math.ceil((until - performance.now()) / 1000));
      say(this.#wait, 'room.wait', { count });
    };
    tick();
    this.#countdown = setInterval(tick, 1000);
  }

  /** Another peer has this id: say so where it stands, and offer one that is likely to be free. */
  #taken() {
    setError(this.#peer, { key: 'name.taken' });
    const [, stem = '', number = '1'] = /^(.*?)(?:-(\d+))?$/u.exec(this.#peer.value.trim()) ?? [];
    this.#suggestion.value = `${stem}-${Number(number) + 1}`;
    say(this.#suggestion, 'room.use', { name: this.#suggestion.value });
    this.#suggestion.hidden = false;
    this.#peer.focus();
  }
}

/** @param {import('../room.js').RoomStatus} status */
export function statusKey(status) {
  if (status.state !== 'waiting' && status.state !== 'closed') return `room.status.${status.state}`;
  const key = `room.${status.state}.${status.word}`;
  return knows(key) ? key : `room.${status.state}.other`;
}

/** What was in the form the last time, or is in the page's address. */
export function initialNames() {
  const query = new URLSearchParams(location.search);
  const returning = wasInside();
  const asked = (/** @type {'room' | 'peer'} */ name) =>
    (returning ? recall(name) : null) ?? query.get(name) ?? recall(name);
  const room = asked('room') ?? 'room1';
  const peer = asked('peer') ?? `tab-${Math.random().toString(36).slice(2, 6)}`;
  const isAsked = returning || query.has('room');
  return { room, peer, asked: isAsked, returning, join: returning || query.get('join') === '1' };
}

customElements.define('room-form', RoomForm);
