/** Small line drawings, 24 by 24. Each stands beside words, so a screen reader need not know of them. */
import { svg } from './dom.js';

const PATHS = {
  plus: ['M12 5v14', 'M5 12h14'],
  stack: ['M4 8l8-4 8 4-8 4z', 'M4 12l8 4 8-4', 'M4 16l8 4 8-4'],
  load: ['M20 11a8 8 0 1 0-2.3 6.3', 'M20 5v6h-6'],
  edit: ['M4 20h4L19 9l-4-4L4 16z', 'M13.5 6.5l4 4'],
  trash: ['M5 7h14', 'M10 7V4.5h4V7', 'M7 7l1 12.5h8L17 7', 'M10.5 11v5', 'M13.5 11v5'],
  check: ['M5 12.5l4.5 4.5L19 7.5'],
  cross: ['M6 6l12 12', 'M18 6L6 18'],
  pause: ['M9 6v12', 'M15 6v12'],
  clock: ['M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16z', 'M12 8v4.5l3 2'],
  link: ['M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1', 'M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1'],
  leave: ['M14 5H6v14h8', 'M11 12h9', 'M17 9l3 3-3 3'],
  copy: ['M9 9h10v11H9z', 'M5 15V4h10'],
  send: ['M4 12l16-7-6 15-3-6.5z', 'M11 13.5L20 5'],
  server: ['M4 5h16v6H4z', 'M4 13h16v6H4z', 'M7.5 8h.01', 'M7.5 16h.01'],
  warn: ['M12 4l9 16H3z', 'M12 10v4.5', 'M12 17.3h.01'],
  info: ['M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16z', 'M12 11v5', 'M12 8h.01'],
  people: [
    'M9 5.5a3 3 0 1 0 0 6 3 3 0 0 0 0-6z',
    'M3.5 19a5.5 5.5 0 0 1 11 0',
    'M16 6a2.7 2.7 0 0 1 0 5',
    'M17.5 14a5 5 0 0 1 3 5',
  ],
  lock: ['M6 11h12v9H6z', 'M8.5 11V8a3.5 3.5 0 0 1 7 0v3'],
  key: ['M8 11a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9z', 'M11.2 12.3L20 3.5', 'M15.5 8l3 3'],
  search: ['M10.5 4.5a6 6 0 1 0 0 12 6 6 0 0 0 0-12z', 'M15 15l5 5'],
  spark: ['M13 3L5 13.5h6L10 21l8-11h-6z'],
  left: ['M14.5 5.5L8 12l6.5 6.5'],
  right: ['M9.5 5.5L16 12l-6.5 6.5'],
};

/** @typedef {keyof typeof PATHS} IconName */

/**
 * @param {IconName} name
 * @param {string} [className]
 */
export function icon(name, className = '') {
  const paths = PATHS[name].map((d) => svg('path', { d }));
  return svg('svg', { class: `icon ${className}`.trim(), viewBox: '0 0 24 24', 'aria-hidden': 'true' }, ...paths);
}
