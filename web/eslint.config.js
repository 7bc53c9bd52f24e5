import js from '@eslint/js';
import globals from 'globals';

/** Text goes into the page as text: whoever needs markup builds nodes. */
const asText = ['innerHTML', 'outerHTML', 'insertAdjacentHTML', 'write', 'writeln', 'setHTML', 'setHTMLUnsafe'].map(
  (property) => ({ property, message: 'Use textContent, or build the nodes.' }),
);

export default [
  { ignores: ['node_modules/'] },
  js.configs.recommended,
  {
    rules: {
      eqeqeq: 'error',
      'no-eval': 'error',
      'no-implied-eval': 'error',
      'no-new-func': 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    // The native peer's status page is checked from the repository's root.
    files: ['js/**', 'peer/**'],
    languageOptions: { globals: globals.browser },
    rules: { 'no-restricted-properties': ['error', ...asText] },
  },
  {
    files: ['test/**', '*.js'],
    languageOptions: { globals: { ...globals.node, ...globals.browser } },
    rules: { 'max-lines-per-function': 'off' },
  },
];
