/**
 * A passing word, at the lower edge.
 */

import { byId, tell } from './elements.js';

/** How long it stays. */
const LASTS = 4_000;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @param {string} text */
export function toast(text) {
  tell(byId('toast'), text);
  clearTimeout(timer);
  timer = setTimeout(() => tell(byId('toast'), ''), LASTS);
}
