/**
 * How many columns a line takes in a monospaced font: what a terminal would say. Good enough to guess a row's height
 * before it is drawn; the drawn row is measured.
 */

import { PLAIN, parse } from './ansi.js';

/** Tab stops, as terminals have them; style.css says the same. */
const TAB = 8;

const SIMPLE = /^[\x20-\x7e]*$/;

/** @param {string} text */
export function columnsOf(text) {
  if (SIMPLE.test(text)) return text.length;
  const shown = parse(text, PLAIN)
    .spans.map((span) => span.text)
    .join('');
  let columns = 0;
  for (const character of shown) {
    if (character === '\t') columns += TAB - (columns % TAB);
    else columns += widthOf(/** @type {number} */ (character.codePointAt(0)));
  }
  return columns;
}

/** Longer lines are not looked at word by word. */
const PATIENCE = 4096;

/**
 * How many rows of the screen a line takes when it is wrapped at words and rows after the first are indented.
 * @param {string} text
 * @param {number} width of the screen in columns
 * @param {number} indent of the further rows
 */
export function rowsOf(text, width, indent) {
  const columns = columnsOf(text);
  if (columns <= width) return 1;
  const further = Math.max(1, width - indent);
  if (text.length > PATIENCE) return 1 + Math.ceil((columns - width) / further);
  let rows = 1;
  let left = width;
  for (const [word] of text.matchAll(WORD)) {
    // Spaces at the edge hang over it and take no room.
    let needed = columnsOf(word.trimEnd());
    if (needed > left && left < (rows === 1 ? width : further)) {
      rows += 1;
      left = further;
    }
    // A word longer than a row is cut wherever the edge is.
    while (needed > left) {
      needed -= left;
      rows += 1;
      left = further;
    }
    left -= needed + (word.length - word.trimEnd().length);
  }
  return rows;
}

// What browsers keep together, nearly: up to the next space or hyphen; Chinese and Japanese may be broken anywhere.
const WORD = /[\u2e80-\u9fff\uac00-\ud7a3\uff01-\uff60] *|[^ \u2e80-\u9fff\uac00-\ud7a3\uff01-\uff60-]+[ -]*|[ -]+/g;

/**
 * Unicode TR 11, roughly: East Asian wide characters and most emoji take two columns, combining marks none.
 * @param {number} code
 */
function widthOf(code) {
  if (code < 0x300) return 1;
  if (code <= 0x36f || code === 0x200b || (code >= 0xfe00 && code <= 0xfe0f)) return 0;
  const wide =
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff01 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd);
  return wide ? 2 : 1;
}
