/** What the peers say: directly to one another, and, as another thing, through the server. */
import { knows, say } from '../i18n.js';
import { CHANNEL_BYTES } from '../message_limit.js';
import { byteLength } from '../protocol.js';
import { arrange, h, time } from './dom.js';
import { field, setError } from './field.js';
import { icon } from './icons.js';
import { names, plainName, spot } from './peer-face.js';

const KEPT = 500;
/** From this part of what fits on, a message's length is shown. */
const NEARLY_FULL = 0.75;

export class RoomChat extends HTMLElement {
  /** @type {import('../page_room.js').PageRoom | null} */
  #pageRoom = null;
  #log = h('div', { class: 'messages', role: 'log', tabindex: '0', tLabel: 'chat.log' });
  #empty = h('p', { class: 'note', t: 'chat.empty' });
  #to = h('select', { name: 'to', id: 'chat-to' });
  #text = h('textarea', { name: 'text', id: 'chat-text', rows: 1, autocomplete: 'off', enterkeyhint: 'send' });
  #length = h('p', { class: 'hint length', id: 'chat-length', hidden: true });
  #send = h('button', { type: 'submit', class: 'primary' }, icon('send'), h('span', { t: 'chat.send' }));
  #announcement = h('input', { name: 'announcement', id: 'chat-broadcast', autocomplete: 'off' });
  #announce = h('button', { type: 'submit' }, icon('server'), h('span', { t: 'chat.broadcast' }));
  #listener = h('p', { class: 'reason', hidden: true }, icon('lock'), h('span', { t: 'chat.no_publish' }));

  connectedCallback() {
    if (this.firstChild) return;
    const direct = h(
      'form',
      { class: 'composer', novalidate: true, tLabel: 'chat.form' },
      field({ label: 'chat.to', control: this.#to }),
      field({ label: 'chat.text', control: this.#text, className: 'grow' }),
      this.#send,
      this.#length,
    );
    const server = h(
      'form',
      { class: 'composer through-server', novalidate: true, tLabel: 'chat.broadcast_form' },
      field({ label: 'chat.broadcast_text', control: this.#announcement, className: 'grow' }),
      this.#announce,
      this.#listener,
    );
    direct.addEventListener(
      'submit',
      (event) => void this.#submit(event, this.#text, (text) => this.#sendDirect(text)),
    );
    server.addEventListener('submit', (event) => {
      void this.#submit(event, this.#announcement, async (text) => this.#pageRoom?.broadcast(text));
    });
    this.#text.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      direct.requestSubmit();
    });
    for (const control of [this.#text, this.#announcement]) {
      control.addEventListener('input', () => setError(control, null));
    }
    for (const control of [this.#text, this.#to]) control.addEventListener('input', () => this.#showLength());
    this.append(this.#log, this.#empty, direct, server);
  }

  /** @param {import('../page_room.js').PageRoom} pageRoom */
  set pageRoom(pageRoom) {
    this.#pageRoom = pageRoom;
    pageRoom.on('status', () => this.#showPeers());
    pageRoom.on('access', () => this.#showPeers());
    pageRoom.on('peer', ({ change }) => change === 'path' || this.#showPeers());
    pageRoom.on('message', (message) => this.#add(message, false, null));
    pageRoom.on('sent', (message) => {
      const line = this.#add({ ...message, from: pageRoom.peerId, replayed: false }, true, message.to);
      void message.outcomes?.then((outcomes) => showOutcome(line, [...outcomes.values()]));
    });
    pageRoom.on('error', ({ code, peer, limit }) => {
      if (code !== 'too_big' || peer === undefined) return;
      setError(this.#text, { key: 'chat.error.too_big_for', params: { peer, limit: limit ?? 0 } });
    });
    this.#showPeers();
  }

  /** How much of what all receivers take is used, once it is much. */
  #showLength() {
    const to = this.#to.value;
    const limits = this.#pageRoom?.peers.filter(({ id, messageBytes }) => messageBytes > 0 && (!to || id === to));
    const limit = Math.min(CHANNEL_BYTES, ...(limits ?? []).map(({ messageBytes }) => messageBytes));
    // A character has at most three bytes for each unit of UTF-16.
    const bytes = this.#text.value.length * 3 < limit * NEARLY_FULL ? 0 : byteLength(this.#text.value);
    this.#length.hidden = bytes < limit * NEARLY_FULL;
    this.#length.classList.toggle('over', bytes > limit);
    say(this.#length, 'chat.length', { bytes, limit });
  }

  /** The next message is for this peer. @param {string} peer */
  writeTo(peer) {
    this.#to.value = peer;
    this.#text.focus();
  }

  #showPeers() {
    const pageRoom = this.#pageRoom;
    if (!pageRoom) return;
    const open = pageRoom.peers.filter(({ messageBytes }) => messageBytes > 0);
    const chosen = this.#to.value;
    const known = new Map([...this.#to.options].map((option) => [option.value, option]));
    const everybody = known.get('') ?? h('option', { value: '' });
    say(everybody, 'chat.everybody', { count: open.length });
    const options = open.map((peer) => {
      const option = known.get(peer.id) ?? h('option', { value: peer.id });
      option.textContent = plainName(peer);
      return option;
    });
    arrange(this.#to, [everybody, ...options]);
    this.#to.value = open.some(({ id }) => id === chosen) ? chosen : '';
    this.#send.disabled = open.length === 0;
    this.#showLength();
    const listens = pageRoom.grants?.publish === false;
    this.#listener.hidden = !listens;
    this.#announcement.disabled = listens;
    this.#announce.disabled = listens || pageRoom.status.state !== 'joined';
    say(this.#text, open.length ? 'chat.placeholder' : 'chat.nobody', {}, 'placeholder');
  }

  /** @param {string} text */
  async #sendDirect(text) {
    await this.#pageRoom?.send(text, this.#to.value || undefined);
  }

  /**
   * @param {Event} event
   * @param {HTMLInputElement | HTMLTextAreaElement} control
   * @param {(text: string) => Promise<void>} send
   */
  async #submit(event, control, send) {
    event.preventDefault();
    const text = control.value;
    if (text.trim() === '') return control.focus();
    setError(control, null);
    try {
      control.value = '';
      await send(text);
    } catch (error) {
      // What could not be sent is not lost.
      if (control.value === '') control.value = text;
      const { code = '', limit = 0 } = /** @type {{ code?: string, limit?: number }} */ (error);
      const key = knows(`chat.error.${code}`) ? `chat.error.${code}` : 'chat.error.other';
      setError(control, { key, params: { limit } });
    }
    this.#showLength();
    control.focus();
  }

  /**
   * @param {Omit<import('../room.js').Message, 'data'>} message
   * @param {boolean} own
   * @param {string[] | null} to
   */
  #add({ from, text, via, at, replayed }, own, to) {
    const peer = this.#pageRoom?.peers.find(({ id }) => id === from) ?? { id: from, metadata: {} };
    const atEnd = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < 40;
    this.#empty.hidden = true;
    const line = h(
      'article',
      // What was said earlier is there to be read, and not read out.
      { class: `message ${via} ${own ? 'own' : ''}`, 'aria-live': replayed && 'off' },
      h(
        'header',
        {},
        via !== 'p2p' && icon('server'),
        !own && spot(peer),
        ...(own ? [h('span', { class: 'from', t: 'chat.me' })] : names(peer, 'from')),
        replayed && h('span', { class: 'chip', t: 'chat.earlier' }),
        h('span', { class: 'via', t: wayOf(via, to) }),
        time(at),
      ),
      h('p', { dir: 'auto' }, text),
    );
    this.#log.append(line);
    while (this.#log.childElementCount > KEPT) this.#log.firstElementChild?.remove();
    if (atEnd || own) this.#log.scrollTop = this.#log.scrollHeight;
    return line;
  }
}

/**
 * Says whether all have it. That they do is what everybody expects: it is not read out.
 * @param {HTMLElement} line
 * @param {import('../pairs.js').Outcome[]} outcomes
 */
function showOutcome(line, outcomes) {
  const unknown = outcomes.some((outcome) => outcome === 'unknown' || outcome === 'failed');
  const delivered = outcomes.every((outcome) => outcome === 'delivered');
  if (!unknown && !delivered) return;
  const key = unknown ? 'chat.outcome.unknown' : 'chat.outcome.delivered';
  line
    .querySelector('header')
    ?.append(
      h('span', { class: `outcome ${unknown ? 'unknown' : ''}`, t: key, 'aria-live': unknown ? 'polite' : 'off' }),
    );
}

/** @param {string} via @param {string[] | null} to @returns {import('./dom.js').Words} */
function wayOf(via, to) {
  if (via !== 'p2p') return `chat.via.${via}`;
  if (to?.length === 1) return ['chat.via.to_one', { peer: String(to[0]) }];
  return to ? ['chat.via.to', { count: to.length }] : 'chat.via.p2p';
}

customElements.define('room-chat', RoomChat);
