/** The words of the page, in the language that its user reads. */

/** So long the words of a language may take to come. */
const WORDS_MS = 15_000;

export const LANGUAGES = /** @type {const} */ (['en', 'es']);

/**
 * @typedef {(typeof LANGUAGES)[number]} Language
 * @typedef {Record<string, string | number | Date>} Params
 * @typedef {'text' | 'aria-label' | 'placeholder' | 'title'} Slot where in an element the words stand
 */

const SLOTS = /** @type {const} */ (['text', 'aria-label', 'placeholder', 'title']);
const MARKED = '[data-t], [data-t-aria-label], [data-t-placeholder], [data-t-title], time[datetime]';

/** @type {Record<string, string>} */
let words = {};
/** @type {Language} */
let language = 'en';
/** @type {WeakMap<Element, Map<Slot, Params>>} */
const params = new WeakMap();

export function currentLanguage() {
  return language;
}

/**
 * The best of the page's languages for these, the most wanted first.
 * @param {readonly string[]} wanted e.g. `navigator.languages`
 * @returns {Language}
 */
export function choose(wanted) {
  const prefixes = wanted.map((tag) => tag.toLowerCase().split('-')[0]);
  return (
    LANGUAGES.find((known) => known === prefixes.find((prefix) => LANGUAGES.some((one) => one === prefix))) ?? 'en'
  );
}

/**
 * Makes the page speak this language.
 * @param {Language} wanted
 */
export async function setLanguage(wanted) {
  const signal = AbortSignal.timeout(WORDS_MS);
  const response = await fetch(new URL(`../i18n/${wanted}.json`, import.meta.url), { signal });
  if (!response.ok) throw new Error(`the words: HTTP ${response.status}`);
  useWords(wanted, await response.json());
  document.documentElement.lang = wanted;
  document.title = t(document.documentElement.dataset.title ?? 'page.title');
  translate(document);
}

/**
 * @param {Language} wanted
 * @param {Record<string, string>} dictionary
 */
export function useWords(wanted, dictionary) {
  language = wanted;
  words = dictionary;
}

/**
 * The words for a key. `{name}` stands for a parameter; with `count`, the key's `.one` and `.other` are for numbers.
 * @param {string} key
 * @param {Params} [values]
 */
export function t(key, values = {}) {
  const form = typeof values.count === 'number' ? new Intl.PluralRules(language).select(values.count) : '';
  const text = words[`${key}.${form}`] ?? words[`${key}.other`] ?? words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => format(values[name]) ?? whole);
}

/** Whether there are words for this key. @param {string} key */
export function knows(key) {
  return Object.hasOwn(words, key);
}

/**
 * Puts words into an element, and keeps them in the page's language.
 * @param {Element} element
 * @param {string} key
 * @param {Params} [values]
 * @param {Slot} [slot]
 */
export function say(element, key, values = {}, slot = 'text') {
  element.setAttribute(attribute(slot), key);
  params.set(element, (params.get(element) ?? new Map()).set(slot, values));
  put(element, slot, key);
}

/** Puts words of nobody's language into an element that had some. @param {Element} element @param {string} text */
export function sayPlain(element, text) {
  element.removeAttribute('data-t');
  element.textContent = text;
}

/** Says again what stands in the page, after the language changed. @param {ParentNode} root */
export function translate(root) {
  for (const element of root.querySelectorAll(MARKED)) {
    if (element instanceof HTMLTimeElement) showTime(element);
    for (const slot of SLOTS) {
      const key = element.getAttribute(attribute(slot));
      if (key) put(element, slot, key);
    }
  }
}

/** Fills a `<time datetime>` with its time of day. @param {HTMLTimeElement} element */
export function showTime(element) {
  const at = new Date(element.dateTime);
  element.textContent = new Intl.DateTimeFormat(language, { timeStyle: 'medium' }).format(at);
  element.title = new Intl.DateTimeFormat(language, { dateStyle: 'full', timeStyle: 'long' }).format(at);
}

/** @param {Element} element @param {Slot} slot @param {string} key */
function put(element, slot, key) {
  const text = t(key, params.get(element)?.get(slot));
  if (slot === 'text') element.textContent = text;
  else element.setAttribute(slot, text);
}

/** @param {Slot} slot */
function attribute(slot) {
  return slot === 'text' ? 'data-t' : `data-t-${slot}`;
}

/** @param {string | number | Date | undefined} value */
function format(value) {
  if (typeof value === 'number') return new Intl.NumberFormat(language).format(value);
  if (value instanceof Date) {
    const today = value.toDateString() === new Date().toDateString();
    const date = today ? {} : /** @type {const} */ ({ dateStyle: 'medium' });
    return new Intl.DateTimeFormat(language, { ...date, timeStyle: 'short' }).format(value);
  }
  return value;
}
