/** How the server is, in one line, and the button that drains it. */
import { say } from '../i18n.js';
import { confirm } from '../ui/confirm-dialog.js';
import { h } from '../ui/dom.js';
import { icon } from '../ui/icons.js';
import { count } from './amount.js';
import { done } from './done.js';

export class AdminServer extends HTMLElement {
  /** @type {import('./admin_api.js').AdminApi | null} */
  api = null;
  #state = h('span', { class: 'chip busy', role: 'status', t: 'admin.loading' });
  #rooms = figure('rooms');
  #peers = figure('peers');
  #drain = h(
    'button',
    { type: 'button', on: { click: () => void this.#drained() } },
    icon('leave'),
    h('span', { t: 'admin.drain' }),
  );

  connectedCallback() {
    if (this.firstChild) return;
    this.append(h('p', { class: 'figures' }, this.#state, this.#rooms.element, this.#peers.element), this.#drain);
  }

  /** @param {import('./watch.js').Watch} watch */
  set watch(watch) {
    watch.on('change', () => this.#show(watch));
  }

  /** @param {import('./watch.js').Watch} watch */
  #show({ seen, error }) {
    // One that is drained refuses everything.
    const state = error ? (error.code === 'stopping' ? 'not_ready' : 'unknown') : seen?.ready ? 'ready' : 'not_ready';
    this.#state.className = `chip ${state === 'ready' ? 'good' : state === 'unknown' ? 'bad' : 'busy'}`;
    say(this.#state, `admin.state.${state}`);
    this.#state.title = seen?.detail ?? '';
    this.#drain.disabled = !seen?.ready || error !== null;
    if (!seen) return;
    this.#rooms.show(seen.rooms.length);
    this.#peers.show(seen.rooms.reduce((sum, { peers }) => sum + peers, 0));
  }

  async #drained() {
    const answer = await confirm({ title: 'admin.drain.title', text: 'admin.drain.text', action: 'admin.drain.do' });
    if (answer !== null) await done(this, this.api?.drain(), 'admin.drain.done');
  }
}

/** How many there are. @param {'rooms' | 'peers'} what */
function figure(what) {
  const [number, words] = [h('strong', {}, '–'), h('span')];
  const show = (/** @type {number} */ value) => {
    number.textContent = count(value);
    say(words, `admin.figure.${what}`, { count: value });
  };
  return { element: h('span', {}, number, ' ', words), show };
}

customElements.define('admin-server', AdminServer);
