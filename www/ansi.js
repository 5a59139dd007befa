/**
 * Terminal escapes in log text: what a line says, and how it was meant to look.
 *
 * ECMA-48 names the forms. SGR (`ESC [ … m`) becomes a {@link Style}; every other complete escape (cursor moves,
 * titles, OSC 8 links) is dropped, because a log line has no screen to move about on and a link in a log is not to be
 * trusted. What is *not* a complete escape is shown, control characters included: nothing in a log is hidden.
 *
 * Knows no DOM and no colours' looks (`colour.js`); the result is a list of `{ text, style }`, never markup.
 */

/**
 * A colour as the log named it: a palette index 0–255, `#rrggbb`, or null for the theme's own.
 * @typedef {number | string | null} Colour
 */

/**
 * How text was asked to look.
 * @typedef {object} Style
 * @property {Colour} fg
 * @property {Colour} bg
 * @property {boolean} bold
 * @property {boolean} dim
 * @property {boolean} italic
 * @property {boolean} underline
 * @property {boolean} inverse
 * @property {boolean} strike
 */

/**
 * A run of text of one style. `control` marks the stand-in for a control character.
 * @typedef {{ text: string, style: Style, control: boolean }} Span
 */

/** @type {Readonly<Style>} */
export const PLAIN = Object.freeze({
  fg: null,
  bg: null,
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  inverse: false,
  strike: false,
});

/**
 * More spans than this in one row are not styled any more (their text is still there): a hostile line could otherwise
 * make the page build a node for every character.
 */
export const MAX_SPANS = 512;

/** An escape longer than this is not waited for when a long line has to be cut. */
const LONGEST_ESCAPE = 1024;

// ECMA-48 §5.4: CSI, parameters 3/0–3/15, intermediates 2/0–2/15, final 4/0–7/14. §5.6 and §8.3.89: OSC, DCS, SOS, PM
// and APC run to ST; xterm also ends OSC with BEL. The rest: intermediates and a final. Their text may not hold ESC,
// so each position is looked at once, however the log is written.
const ESCAPE = /\x1b(?:\[([0-?]*)([ -/]*)([@-~])|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]+[0-~]|[0-OQ-WYZ\\`-~])/y;

// C0 without TAB (line feeds never get here), DEL, C1, and what reorders or breaks text without being seen
// (bidirectional controls, line and paragraph separators, a byte order mark).
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/**
 * The spans of one row, and the style in force behind it.
 * @param {string} text
 * @param {Style} style the style in force before it
 * @returns {{ spans: Span[], style: Style }}
 */
export function parse(text, style) {
  /** @type {Span[]} */
  const spans = [];
  for (let at = 0; at < text.length; ) {
    const esc = text.indexOf('\x1b', at);
    const end = esc < 0 ? text.length : esc;
    if (end > at) pushText(spans, text.slice(at, end), style);
    if (esc < 0) break;
    const found = escapeAt(text, esc);
    if (found === null) {
      pushSpan(spans, picture(0x1b), style, true);
      at = esc + 1;
    } else {
      if (found.sgr !== null) style = applySgr(style, found.sgr);
      at = found.end;
    }
  }
  return { spans, style };
}

/**
 * The style in force behind `text`: what `parse` would say, without building the spans.
 * @param {string} text
 * @param {Style} style
 * @returns {Style}
 */
export function styleAfter(text, style) {
  for (let esc = text.indexOf('\x1b'); esc >= 0; ) {
    const found = escapeAt(text, esc);
    if (found !== null && found.sgr !== null) style = applySgr(style, found.sgr);
    esc = text.indexOf('\x1b', found === null ? esc + 1 : found.end);
  }
  return style;
}

/**
 * The text of the first `limit` characters without escapes, for looking at rather than for showing.
 * @param {string} text
 * @param {number} limit
 */
export function plainStart(text, limit) {
  const start = text.slice(0, limit);
  return start.includes('\x1b')
    ? parse(start, PLAIN)
        .spans.map((span) => span.text)
        .join('')
    : start;
}

/**
 * Where to cut a line that has more than `limit` characters: at `limit`, or a little before it, so that neither an
 * escape nor a surrogate pair is torn. Looks at the first `limit` characters only, so that the place is the same
 * however the line came in.
 * @param {string} text
 * @param {number} limit
 */
export function cutBefore(text, limit) {
  const last = text.charCodeAt(limit - 1);
  let cut = last >= 0xd800 && last < 0xdc00 ? limit - 1 : limit;
  const esc = text.lastIndexOf('\x1b', cut - 1);
  // ST is two characters, the first of them ESC: the escape it ends began at the ESC before.
  const began = esc > 0 && cut - esc <= 2 ? text.lastIndexOf('\x1b', esc - 1) : -1;
  for (const at of [esc, began]) {
    if (at <= 0 || cut - at > LONGEST_ESCAPE) continue;
    const found = escapeAt(text.slice(0, limit), at);
    if (found === null || found.end > cut) cut = Math.min(cut, at);
  }
  return Math.max(cut, 1);
}

/**
 * The complete escape that starts at `at`; null if there is none.
 * @param {string} text
 * @param {number} at
 * @returns {{ end: number, sgr: string | null } | null}
 */
function escapeAt(text, at) {
  ESCAPE.lastIndex = at;
  const match = ESCAPE.exec(text);
  if (match === null) return null;
  const [all, parameters, intermediates, final] = match;
  // `ESC [ ? … m` and `ESC [ > … m` are private to xterm and not SGR.
  const sgr = final === 'm' && intermediates === '' && !/[<=>?]/.test(parameters) ? parameters : null;
  return { end: at + all.length, sgr };
}

/**
 * @param {Span[]} spans
 * @param {string} text
 * @param {Style} style
 */
function pushText(spans, text, style) {
  let at = 0;
  for (const found of text.matchAll(CONTROL)) {
    if (found.index > at) pushSpan(spans, text.slice(at, found.index), style, false);
    pushSpan(spans, picture(found[0].charCodeAt(0)), style, true);
    at = found.index + 1;
  }
  if (at < text.length) pushSpan(spans, at === 0 ? text : text.slice(at), style, false);
}

/**
 * @param {Span[]} spans
 * @param {string} text
 * @param {Style} style
 * @param {boolean} control
 */
function pushSpan(spans, text, style, control) {
  const last = spans.at(-1);
  if (last !== undefined && ((last.style === style && last.control === control) || spans.length >= MAX_SPANS)) {
    last.text += text;
  } else {
    spans.push({ text, style, control });
  }
}

/**
 * What stands for a control character: `^C` and the like, as `cat -v` and `less` have it, else its number. (Unicode's
 * Control Pictures would be prettier, where a font has them.)
 * @param {number} code
 */
function picture(code) {
  if (code < 0x20 || code === 0x7f) return `^${String.fromCharCode(code ^ 0x40)}`;
  return `<${code.toString(16).toUpperCase().padStart(2, '0')}>`;
}

/**
 * The style behind one SGR (ECMA-48 §8.3.117; the colours 38 and 48 after ISO 8613-6, as xterm reads them). Numbers
 * that mean nothing here, blinking among them, change nothing. "Concealed" is not obeyed: a log must not hide text.
 * @param {Style} before
 * @param {string} parameters
 * @returns {Style}
 */
function applySgr(before, parameters) {
  let style = { ...before };
  const fields = parameters.split(';');
  for (let i = 0; i < fields.length; i += 1) {
    const [head, ...subs] = fields[i].split(':');
    const code = head === '' ? 0 : Number(head);
    if (code === 38 || code === 48) {
      const [colour, used] = subs.length > 0 ? [colonColour(subs), 0] : semicolonColour(fields, i + 1);
      if (colour !== undefined) style[code === 38 ? 'fg' : 'bg'] = colour;
      i += used;
    } else if (code === 0) {
      style = { ...PLAIN };
    } else {
      applyCode(style, code, subs);
    }
  }
  if (same(style, before)) return before;
  return same(style, PLAIN) ? PLAIN : Object.freeze(style);
}

/**
 * @param {Style} style changed in place
 * @param {number} code
 * @param {string[]} subs
 */
function applyCode(style, code, subs) {
  switch (code) {
    case 1:
      style.bold = true;
      break;
    case 2:
      style.dim = true;
      break;
    case 3:
      style.italic = true;
      break;
    case 4:
      style.underline = subs[0] !== '0';
      break;
    case 7:
      style.inverse = true;
      break;
    case 9:
      style.strike = true;
      break;
    case 21:
      style.underline = true;
      break;
    case 22:
      style.bold = false;
      style.dim = false;
      break;
    case 23:
      style.italic = false;
      break;
    case 24:
      style.underline = false;
      break;
    case 27:
      style.inverse = false;
      break;
    case 29:
      style.strike = false;
      break;
    case 39:
      style.fg = null;
      break;
    case 49:
      style.bg = null;
      break;
    default:
      if (code >= 30 && code <= 37) style.fg = code - 30;
      else if (code >= 40 && code <= 47) style.bg = code - 40;
      else if (code >= 90 && code <= 97) style.fg = code - 90 + 8;
      else if (code >= 100 && code <= 107) style.bg = code - 100 + 8;
  }
}

/**
 * `38:5:N`, `38:2::R:G:B` and the common `38:2:R:G:B`.
 * @param {string[]} subs
 * @returns {Colour | undefined}
 */
function colonColour(subs) {
  if (subs[0] === '5') return indexed(subs[1]);
  if (subs[0] === '2') return rgb(subs.length >= 5 ? subs.slice(2, 5) : subs.slice(1, 4));
  return undefined;
}

/**
 * `38;5;N` and `38;2;R;G;B`, and how many fields they take.
 * @param {string[]} fields
 * @param {number} at
 * @returns {[Colour | undefined, number]}
 */
function semicolonColour(fields, at) {
  if (fields[at] === '5') return [indexed(fields[at + 1]), 2];
  if (fields[at] === '2') return [rgb(fields.slice(at + 1, at + 4)), 4];
  return [undefined, 0];
}

/** @param {string | undefined} field */
function indexed(field) {
  const index = byte(field);
  return index === null ? undefined : index;
}

/** @param {string[]} fields */
function rgb(fields) {
  const bytes = [0, 1, 2].map((i) => byte(fields[i]));
  if (bytes.includes(null)) return undefined;
  return `#${bytes.map((value) => /** @type {number} */ (value).toString(16).padStart(2, '0')).join('')}`;
}

/** @param {string | undefined} field */
function byte(field) {
  if (field === undefined || !/^\d{0,3}$/.test(field)) return null;
  return Number(field) <= 255 ? Number(field) : null;
}

/**
 * @param {Style} a
 * @param {Style} b
 */
export function same(a, b) {
  return (
    a.fg === b.fg &&
    a.bg === b.bg &&
    a.bold === b.bold &&
    a.dim === b.dim &&
    a.italic === b.italic &&
    a.underline === b.underline &&
    a.inverse === b.inverse &&
    a.strike === b.strike
  );
}
