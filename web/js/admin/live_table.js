/**
 * A table that is filled again and again: rows that stay are the same nodes, cells that say the same are left alone, and
 * the focus stays where it is, or goes to the neighbour of a row that is gone.
 */
import { arrange, h } from '../ui/dom.js';

/**
 * @template Row
 * @typedef {object} Column
 * @property {string} t key of its heading
 * @property {(row: Row) => string} look what it depends on; also what it says, unless there is `render`
 * @property {(row: Row) => Node} [render]
 * @property {'name' | 'number' | 'actions'} [kind] `name` heads its row
 */

/** @template Row */
export class LiveTable {
  #columns;
  #key;
  /** @type {Map<string, HTMLTableRowElement>} */
  #rows = new Map();
  #body = h('tbody');
  element;

  /** @param {{ label: string, columns: Column<Row>[], key: (row: Row) => string }} options `label`: key of its name */
  constructor({ label, columns, key }) {
    this.#columns = columns;
    this.#key = key;
    const heads = columns.map(({ t, kind = '' }) =>
      kind === 'actions'
        ? h('th', { scope: 'col' }, h('span', { class: 'visually-hidden', t }))
        : h('th', { scope: 'col', class: kind || false, t }),
    );
    const table = h('table', { tLabel: label }, h('thead', {}, h('tr', {}, ...heads)), this.#body);
    // Wider than a phone: it can be moved by the keyboard, too.
    this.element = h('div', { class: 'table', role: 'region', tabindex: '0', tLabel: label }, table);
  }

  /** @param {Row[]} rows */
  show(rows) {
    const keys = [...this.#rows.keys()];
    const focused = keys.find((key) => this.#rows.get(key)?.contains(document.activeElement));
    const action = document.activeElement?.getAttribute('data-do') ?? '';
    this.#rows = new Map(rows.map((row) => [this.#key(row), this.#row(row)]));
    const all = [...this.#rows.values()];
    arrange(this.#body, all);
    if (focused === undefined || this.#body.contains(document.activeElement)) return;
    const neighbour = this.#rows.get(focused) ?? all[Math.min(keys.indexOf(focused), all.length - 1)];
    const control = neighbour?.querySelector(`[data-do="${CSS.escape(action)}"]`) ?? this.element;
    /** @type {HTMLElement} */ (control).focus();
  }

  /** @param {Row} row */
  #row(row) {
    const known = this.#rows.get(this.#key(row));
    const tr =
      known ??
      h(
        'tr',
        {},
        ...this.#columns.map(({ kind = '' }) =>
          h(
            kind === 'name' ? 'th' : 'td',
            kind === 'name' ? { scope: 'row' } : { class: kind === 'actions' ? 'row-end' : kind || false },
          ),
        ),
      );
    for (const [i, column] of this.#columns.entries()) {
      const cell = /** @type {HTMLElement} */ (tr.children[i]);
      const look = column.look(row);
      if (cell.dataset.look === look) continue;
      cell.dataset.look = look;
      cell.replaceChildren(column.render?.(row) ?? look);
    }
    return tr;
  }
}
