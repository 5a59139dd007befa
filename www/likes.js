/**
 * What the reader likes, where it is stored, and what it comes to on this screen and in this browser.
 */

import { languageFor } from './i18n.js';
import { readSettings, sizeFrom, STORED_AS } from './settings.js';

/** Screens narrower than this wrap lines unless told otherwise. */
const NARROW = matchMedia('(max-width: 760px)');
const LIGHT = matchMedia('(prefers-color-scheme: light)');

export class Likes {
  /** @param {() => void} changed */
  constructor(changed) {
    this.changed = changed;
    this.settings = readSettings(stored());
    LIGHT.addEventListener('change', changed);
    NARROW.addEventListener('change', changed);
    window.addEventListener('languagechange', changed);
  }

  /**
   * Does what the reader chose, if it is about how the page looks.
   * @param {import('./view.js').Act} action
   */
  act(action) {
    const { settings } = this;
    switch (action.act) {
      case 'wrap':
        this.#change({ wrap: !this.wrap });
        break;
      case 'numbers':
        this.#change({ numbers: !settings.numbers });
        break;
      case 'sidebar':
        this.#change({ sidebar: !settings.sidebar });
        break;
      case 'smaller':
        this.#change({ size: sizeFrom(settings.size - 1) });
        break;
      case 'larger':
        this.#change({ size: sizeFrom(settings.size + 1) });
        break;
      case 'theme':
        this.#change({ theme: readSettings(JSON.stringify({ theme: action.value })).theme });
        break;
      case 'language':
        this.#change({ language: readSettings(JSON.stringify({ language: action.value })).language });
        break;
    }
  }

  /**
   * Remembers the name under which the reader writes.
   * @param {string} who
   */
  call(who) {
    this.#change({ who });
  }

  /** @param {Partial<import('./settings.js').Settings>} some */
  #change(some) {
    this.settings = { ...this.settings, ...some };
    try {
      localStorage.setItem(STORED_AS, JSON.stringify(this.settings));
    } catch {
      // Without storage the choice holds as long as the page does.
    }
    this.changed();
  }

  /** Whether there is room for one thing at a time only. */
  get narrow() {
    return NARROW.matches;
  }

  get wrap() {
    return this.settings.wrap ?? NARROW.matches;
  }

  get language() {
    return languageFor(this.settings.language, navigator.languages);
  }

  get theme() {
    const { theme } = this.settings;
    return theme === 'auto' ? (LIGHT.matches ? 'light' : 'dark') : theme;
  }
}

/** @returns {string | null} */
function stored() {
  try {
    return localStorage.getItem(STORED_AS);
  } catch {
    return null;
  }
}
