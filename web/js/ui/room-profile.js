/** The user's name and colour, for the others in the room. What is chosen counts at once. */
import { InvalidName, parseName } from '../names.js';
import { recall, remember } from '../memory.js';
import { PALETTE, readProfile } from '../profile.js';
import { h } from './dom.js';
import { field, setError } from './field.js';

export class RoomProfile extends HTMLElement {
  /** @type {import('../page_room.js').PageRoom | null} */
  #pageRoom = null;
  #name = h('input', { name: 'name', id: 'my-name', autocomplete: 'nickname', spellcheck: 'false' });
  #color = h('select', { name: 'color', id: 'my-color' }, h('option', { value: '', t: 'profile.color.none' }));
  #form = h('form', { novalidate: true, tLabel: 'profile.form' });

  connectedCallback() {
    if (this.firstChild) return;
    const colors = Object.entries(PALETTE);
    this.#color.append(...colors.map(([name, value]) => h('option', { value, t: `profile.color.${name}` })));
    this.#form.append(
      field({ label: 'profile.name', control: this.#name }),
      field({ label: 'profile.color', control: this.#color }),
    );
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#changed();
    });
    this.#form.addEventListener('change', () => this.#changed());
    this.#name.addEventListener('input', () => setError(this.#name, null));
    this.append(this.#form);
  }

  /** @param {import('../page_room.js').PageRoom} pageRoom */
  set pageRoom(pageRoom) {
    this.#pageRoom = pageRoom;
    const { name, color } = readProfile({ name: recall('name'), color: recall('color') });
    this.#name.value = name;
    this.#color.value = Object.values(PALETTE).find((value) => value === color) ?? '';
    pageRoom.setProfile({ name, color: this.#color.value });
  }

  #changed() {
    try {
      const name = this.#name.value.trim() && parseName(this.#name.value.trim());
      setError(this.#name, null);
      remember('name', name);
      remember('color', this.#color.value);
      this.#pageRoom?.setProfile({ name, color: this.#color.value });
    } catch (error) {
      if (!(error instanceof InvalidName)) throw error;
      setError(this.#name, { key: `name.${error.problem}`, params: { character: error.character ?? '' } });
    }
  }
}

customElements.define('room-profile', RoomProfile);
