/** When something was. */
import { foreign, h } from '../ui/dom.js';

/** The time of day, with the day unless it is today. @param {string} when RFC 3339; what is none stands there as it is */
export function moment(when) {
  const at = new Date(when);
  return Number.isNaN(at.getTime())
    ? foreign(when)
    : h('span', { class: 'moment', title: when, t: ['admin.at', { at }] });
}
