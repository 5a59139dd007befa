/**
 * What the reader likes: kept in the browser, the same for all logs. Knows no DOM and no storage, only what is stored.
 */

/**
 * @typedef {object} Settings
 * @property {boolean | null} wrap null: not chosen, so wrapped on narrow screens only
 * @property {number} size of the text, in CSS pixels
 * @property {'auto' | 'light' | 'dark'} theme
 * @property {'auto' | 'en' | 'zh'} language
 * @property {boolean} numbers whether line numbers are shown
 * @property {string} who the name under which one writes into rooms; empty for none
 * @property {boolean} sidebar whether the list of logs is shown on wide screens
 */

export const SIZES = Object.freeze({ least: 10, usual: 13, most: 22 });

/** Under this name the settings are stored; `theme.js` reads the theme from it before anything is drawn. */
export const STORED_AS = 'wiretail.settings';

/** @type {Readonly<Settings>} */
export const DEFAULTS = Object.freeze({
  wrap: null,
  size: SIZES.usual,
  theme: 'auto',
  language: 'auto',
  numbers: false,
  who: '',
  sidebar: true,
});

/**
 * The settings in `stored`; what is not understood is as it is by default.
 * @param {string | null} stored
 * @returns {Settings}
 */
export function readSettings(stored) {
  /** @type {Record<string, unknown>} */
  let json = {};
  try {
    json = Object(JSON.parse(stored ?? '{}'));
  } catch {
    // Somebody else's or an older page's: as if nothing were stored.
  }
  return {
    wrap: typeof json.wrap === 'boolean' ? json.wrap : DEFAULTS.wrap,
    size: sizeFrom(json.size),
    theme: json.theme === 'light' || json.theme === 'dark' ? json.theme : 'auto',
    language: json.language === 'en' || json.language === 'zh' ? json.language : 'auto',
    numbers: json.numbers === true,
    who: typeof json.who === 'string' ? json.who.slice(0, 32) : '',
    sidebar: json.sidebar !== false,
  };
}

/**
 * A text size within the bounds.
 * @param {unknown} size
 */
export function sizeFrom(size) {
  if (typeof size !== 'number' || !Number.isFinite(size)) return SIZES.usual;
  return Math.min(SIZES.most, Math.max(SIZES.least, Math.round(size)));
}
