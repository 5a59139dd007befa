/**
 * One row as an element: a line of the log, or a mark. Log text gets in through `textContent` only.
 */

import { PLAIN, parse, styleAfter } from './ansi.js';
import { look } from './colour.js';
import { bytes, count, reason, saysAbsent, translated } from './i18n.js';
import { levelOf } from './levels.js';
import { lastState } from './returns.js';

/**
 * @typedef {object} Manner
 * @property {'light' | 'dark'} theme
 * @property {import('./i18n.js').Language} language
 * @property {import('./i18n.js').Words} words
 * @property {boolean} job whether the lines are what a job says
 * @property {boolean} redacted whether what looks masked is masked
 */

/**
 * What a row is drawn from: two that look the same are the same nodes.
 * @typedef {object} Look
 * @property {string} text
 * @property {boolean} open
 * @property {boolean} cut
 * @property {number} part
 * @property {import('./ansi.js').Style} style
 * @property {number | null} number of the line in its file
 * @property {[number, number][] | undefined} marks where it matches what is searched for
 * @property {boolean} found whether it is the line that was looked for
 * @property {boolean} whole whether what was written over in it is shown as well
 * @property {import('./rows.js').Mark | null} mark
 */

/** The look of a mark, but for the mark. @type {Readonly<Look>} */
export const MARK = Object.freeze({
  text: '',
  open: false,
  cut: false,
  part: 0,
  style: PLAIN,
  number: null,
  marks: undefined,
  found: false,
  whole: false,
  mark: null,
});

/**
 * @param {Look} a
 * @param {Look} b
 */
export function sameLook(a, b) {
  return /** @type {(keyof Look)[]} */ (Object.keys(MARK)).every((key) => a[key] === b[key]);
}

/**
 * @param {import('./rows.js').Row} row
 * @param {Look} look
 * @param {Manner} manner
 * @returns {HTMLElement}
 */
export function drawRow(row, look, manner) {
  const element = document.createElement('div');
  if (row.kind === 'line') {
    element.dataset.line = String(row.line);
    drawLine(element, look, manner);
  } else {
    drawMark(element, row.mark, manner);
  }
  return element;
}

/**
 * @param {HTMLElement} element
 * @param {Look} look
 * @param {Manner} manner
 */
function drawLine(element, look, manner) {
  const { text, part } = look;
  element.className = 'line';
  element.classList.toggle('open', look.open);
  element.classList.toggle('cut', look.cut);
  element.classList.toggle('found', look.found);
  if (part > 0) element.dataset.part = String(part);
  if (look.number !== null) element.dataset.number = String(look.number);
  const stderr = manner.job && part === 0 && text.startsWith(STDERR);
  element.classList.toggle('stderr', stderr);
  const lead = stderr ? STDERR.length : 0;
  const { from, to, over } = lastState(text, lead);
  const level = part === 0 ? levelOf(text.slice(from, to)) : null;
  if (level !== null) element.dataset.level = level;
  const nodes = look.whole || from === lead ? [] : drawPart(look, 0, lead, manner);
  nodes.push(...(look.whole ? drawStates(look, manner) : drawPart(look, from === lead ? 0 : from, to, manner)));
  // An empty box would have no height, and would be left out when it is copied.
  if (nodes.length === 0) nodes.push(document.createElement('br'));
  if (over > 0) nodes.push(overwrittenButton(over, look.whole, manner));
  element.replaceChildren(...nodes);
}

/**
 * A part of a row's text.
 * @param {Look} look
 * @param {number} from
 * @param {number} to
 * @param {Manner} manner
 */
function drawPart({ text, style, marks = [] }, from, to, manner) {
  /** @type {[number, number][]} */
  const within = [];
  for (const [a, b] of marks) if (a < to && b > from) within.push([Math.max(a, from) - from, Math.min(b, to) - from]);
  return drawText(text.slice(from, to), styleAfter(text.slice(0, from), style), within, manner);
}

/**
 * All of a row's text, a line of the screen for each state.
 * @param {Look} look
 * @param {Manner} manner
 */
function drawStates({ text, style, marks = [] }, manner) {
  const whole = document.createElement('span');
  whole.append(...drawText(text, style, marks, manner));
  for (const control of whole.querySelectorAll('.control')) {
    if (control.textContent?.endsWith('^M')) control.after(document.createElement('br'));
  }
  return [...whole.childNodes];
}

/**
 * Says how many states were written over, and shows them or hides them again. What it says is no text of the log, nor
 * is it copied with it.
 * @param {number} over
 * @param {boolean} whole
 * @param {Manner} manner
 */
function overwrittenButton(over, whole, { words, language }) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'overwritten';
  button.dataset.over = count(over, language);
  button.ariaExpanded = String(whole);
  button.ariaLabel = words.overwritten(count(over, language), over);
  button.title = `${button.ariaLabel}. ${whole ? words.overwrittenHide : words.overwrittenShow}`;
  return button;
}

/**
 * Log text as nodes: in its colours, with what matched marked.
 * @param {string} text
 * @param {import('./ansi.js').Style} style in force before it
 * @param {[number, number][]} marks
 * @param {Manner} manner
 * @returns {Node[]}
 */
export function drawText(text, style, marks, manner) {
  /** @type {Node[]} */
  const nodes = [];
  let at = 0;
  /** @param {number} to */
  const take = (to) => {
    const parsed = parse(text.slice(at, to), style);
    at = to;
    style = parsed.style;
    return parsed.spans.flatMap((span) => drawSpan(span, manner));
  };
  for (const [from, to] of marks) {
    nodes.push(...take(from));
    const mark = document.createElement('span');
    mark.className = 'hit';
    mark.append(...take(to));
    nodes.push(mark);
  }
  nodes.push(...take(text.length));
  return nodes;
}

/** What the server puts before a line of a job's standard error. */
const STDERR = 'E| ';

// What the server puts in the place of text that shall not leave it, and of bytes that are no text.
const STAND_INS = /(\u2588{5}|\ufffd+)/;

/**
 * @param {import('./ansi.js').Span} span
 * @param {Manner} manner
 * @returns {Node[]}
 */
function drawSpan(span, manner) {
  if (span.control) return [drawPiece(span, 'control', '', manner)];
  const pieces = span.text.split(STAND_INS).filter((piece) => piece !== '');
  return pieces.map((text) => {
    const piece = { ...span, text };
    if (text.startsWith('\ufffd')) return drawPiece(piece, 'invalid', manner.words.invalid, manner);
    if (text === MASKED && manner.redacted) return drawPiece(piece, 'masked', manner.words.masked, manner);
    return drawPiece(piece, '', '', manner);
  });
}

const MASKED = '\u2588'.repeat(5);

/**
 * @param {import('./ansi.js').Span} span
 * @param {string} kind
 * @param {string} title
 * @param {Manner} manner
 * @returns {Node}
 */
function drawPiece({ text, style }, kind, title, { theme }) {
  const { color, background } = look(style, theme);
  const classes = kind === '' ? [] : [kind];
  if (style.bold) classes.push('bold');
  if (style.italic) classes.push('italic');
  if (style.underline) classes.push('underline');
  if (style.strike) classes.push('strike');
  if (color === null && background === null && classes.length === 0) return document.createTextNode(text);
  const element = document.createElement('span');
  element.className = classes.join(' ');
  if (color !== null) element.style.color = color;
  if (background !== null) element.style.backgroundColor = background;
  if (title !== '') element.title = title;
  element.textContent = text;
  return element;
}

/**
 * @param {HTMLElement} element
 * @param {import('./rows.js').Mark} mark
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

/** Why bytes are missing. */
const WHY = new Map(
  /** @type {const} */ ([
    ['rotated', 'whyRotated'],
    ['truncated', 'whyTruncated'],
    ['hole', 'whyHole'],
    ['archive', 'whyArchive'],
  ]),
);

/**
 * @param {import('./rows.js').Mark} mark
 * @param {Manner} manner
 * @returns {string}
 */
function markText(mark, { words, language, job }) {
  switch (mark.kind) {
    case 'rotated':
      return job ? words.runBegins : words.rotated;
    case 'truncated':
      return job ? words.runCut : words.truncated;
    case 'gap': {
      const what = mark.bytes === null ? words.gapUnknown : words.gap(bytes(mark.bytes, language));
      const why = job && mark.why === 'rotated' ? 'whyRun' : WHY.get(/** @type {any} */ (mark.why));
      return why === undefined ? what : `${what} (${words[why]})`;
    }
    case 'missing':
      return saysAbsent(mark.why) ? words.missing : `${words.unreadable} (${reason(mark.why, language)})`;
    case 'error':
      return `${words.error}: ${translated(mark.why, language)}`;
    default:
      return words[mark.kind];
  }
}
