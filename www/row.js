/**
 * One row as an element: a line of the log, or a mark. Log text gets in through `textContent` only.
 */

import { parse } from './ansi.js';
import { look } from './colour.js';
import { bytes } from './i18n.js';
import { levelOf } from './levels.js';

/** @typedef {{ theme: 'light' | 'dark', language: import('./i18n.js').Language, words: import('./i18n.js').Words }} Manner */

/**
 * @param {import('./lines.js').Row} row
 * @param {Manner} manner
 * @returns {HTMLElement}
 */
export function drawRow(row, manner) {
  const element = document.createElement('div');
  if (row.kind === 'line') {
    drawLine(element, row, manner);
  } else {
    drawMark(element, row.mark, manner);
  }
  return element;
}

/**
 * @param {HTMLElement} element
 * @param {import('./lines.js').LineRow} row
 * @param {Manner} manner
 */
export function drawLine(element, row, manner) {
  element.className = 'line';
  element.classList.toggle('open', row.open);
  element.classList.toggle('cut', row.cut);
  element.dataset.line = String(row.line);
  if (row.part > 0) element.dataset.part = String(row.part);
  const level = row.part === 0 ? levelOf(row.text) : null;
  if (level !== null) element.dataset.level = level;
  const { spans } = parse(row.text, row.style);
  if (spans.length === 0) {
    // An empty box would have no height, and would be left out when it is copied.
    element.replaceChildren(document.createElement('br'));
  } else {
    element.replaceChildren(...spans.map((span) => drawSpan(span, manner.theme)));
  }
}

/**
 * @param {import('./ansi.js').Span} span
 * @param {import('./colour.js').Theme} theme
 * @returns {Node}
 */
function drawSpan({ text, style, control }, theme) {
  const { color, background } = look(style, theme);
  const classes = [];
  if (style.bold) classes.push('bold');
  if (style.italic) classes.push('italic');
  if (style.underline) classes.push('underline');
  if (style.strike) classes.push('strike');
  if (control) classes.push('control');
  if (color === null && background === null && classes.length === 0) return document.createTextNode(text);
  const element = document.createElement('span');
  element.className = classes.join(' ');
  if (color !== null) element.style.color = color;
  if (background !== null) element.style.backgroundColor = background;
  element.textContent = text;
  return element;
}

/**
 * @param {HTMLElement} element
 * @param {import('./lines.js').Mark} mark
 * @param {Manner} manner
 */
function drawMark(element, mark, manner) {
  element.className = 'mark';
  element.dataset.kind = mark.kind;
  if (mark.kind === 'gap' && mark.bytes !== null) element.dataset.bytes = String(mark.bytes);
  const text = document.createElement('span');
  text.textContent = markText(mark, manner);
  element.replaceChildren(text);
}

/**
 * @param {import('./lines.js').Mark} mark
 * @param {Manner} manner
 * @returns {string}
 */
function markText(mark, { words, language }) {
  switch (mark.kind) {
    case 'gap': {
      const what = mark.bytes === null ? words.gapUnknown : words.gap(bytes(mark.bytes, language));
      const why = { rotated: words.whyRotated, truncated: words.whyTruncated, hole: words.whyHole }[mark.why];
      return why === undefined ? what : `${what} (${why})`;
    }
    case 'missing':
      return mark.why === '' ? words.missing : `${words.missing} (${mark.why})`;
    case 'error':
      return `${words.error}: ${mark.message}`;
    default:
      return words[mark.kind];
  }
}
