/** The language and the theme of the page. */
import { LANGUAGES, currentLanguage, setLanguage } from '../i18n.js';
import { recall, remember } from '../memory.js';
import { h } from './dom.js';
import { showToast } from './toast-stack.js';

const THEMES = ['auto', 'light', 'dark'];
const OWN_NAMES = { en: 'English', es: 'Español' };

export class PageSettings extends HTMLElement {
  connectedCallback() {
    if (this.firstChild) return;
    const languages = LANGUAGES.map((code) => h('option', { value: code, lang: code }, OWN_NAMES[code]));
    const language = h('select', { tLabel: 'settings.language' }, ...languages);
    language.value = currentLanguage();
    language.addEventListener('change', () => {
      const chosen = /** @type {import('../i18n.js').Language} */ (language.value);
      setLanguage(chosen).then(
        () => remember('language', chosen),
        () => {
          language.value = currentLanguage();
          showToast({ t: 'error.network', kind: 'bad' });
        },
      );
    });

    const themes = THEMES.map((name) => h('option', { value: name, t: `settings.theme.${name}` }));
    const theme = h('select', { tLabel: 'settings.theme' }, ...themes);
    const remembered = recall('theme') ?? 'auto';
    theme.value = THEMES.includes(remembered) ? remembered : 'auto';
    theme.addEventListener('change', () => {
      remember('theme', theme.value);
      if (theme.value === 'auto') delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = theme.value;
    });
    this.append(language, theme);
  }
}

customElements.define('page-settings', PageSettings);
