/** Who did what to whom, the newest first. */
import { knows } from '../i18n.js';
import { foreign, h } from '../ui/dom.js';
import { LiveTable } from './live_table.js';
import { moment } from './moment.js';

/** @typedef {import('./admin_api.js').AuditRow} AuditRow */

export class AdminAudit extends HTMLElement {
  #note = h('p', { class: 'note', t: 'admin.audit.none' });
  #table = new LiveTable({
    label: 'admin.audit.list',
    key: (/** @type {AuditRow & { nth: number }} */ { who, what, whom, when, nth }) =>
      JSON.stringify([when, who, what, whom, nth]),
    columns: [
      { t: 'admin.audit.when', look: ({ when }) => when, render: ({ when }) => moment(when) },
      { t: 'admin.audit.who', look: ({ who }) => who || '–', render: ({ who }) => foreign(who || '–') },
      { t: 'admin.audit.what', look: ({ what }) => what, render: ({ what }) => word(what) },
      { t: 'admin.audit.whom', look: ({ whom }) => whom || '–', render: ({ whom }) => foreign(whom || '–') },
    ],
  });

  connectedCallback() {
    if (!this.firstChild) this.append(this.#note, this.#table.element);
  }

  /** @param {import('./watch.js').Watch} watch */
  set watch(watch) {
    watch.on('change', () => {
      const rows = numbered(watch.seen?.audit ?? []);
      this.#table.show(rows);
      this.#table.element.hidden = rows.length === 0;
      this.#note.hidden = rows.length > 0;
    });
  }
}

/** Two entries may say the same: the older is the first. @param {AuditRow[]} rows the newest first */
function numbered(rows) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  const count = (/** @type {AuditRow} */ row) => {
    const text = JSON.stringify(row);
    const nth = (counts.get(text) ?? 0) + 1;
    counts.set(text, nth);
    return { ...row, nth };
  };
  return [...rows].reverse().map(count).reverse();
}

/** @param {string} what */
function word(what) {
  return knows(`admin.did.${what}`) ? h('span', { t: `admin.did.${what}` }) : foreign(what);
}

customElements.define('admin-audit', AdminAudit);
