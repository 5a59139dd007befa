/**
 * What may be typed to go somewhere in a log: `start`, `end`, `50%`, `:1234`, a time, `-10m`, or a link to a line.
 *
 * Which forms of time there are, only the server knows: it is asked for them by the command line as well.
 */

/** What was meant. @typedef {{ to: import('./wire.js').Goal } | { problem: 'nothing' | 'unclear' | 'percent' }} Meant */

const PERCENT = /^(\d{1,3}(?:[.,]\d+)?)\s*[%％]$/;
const LINE = /^[:#：](\d{1,15})$/;

/** Words for the two ends, in the page's languages. */
const START = ['start', 'top', 'begin', 'beginning', '开头', '开始'];
const END = ['end', 'bottom', 'live', 'now', '末尾', '结尾', '最新'];

/**
 * @param {string} typed
 * @returns {Meant}
 */
export function meant(typed) {
  const text = typed.trim();
  const word = text.toLowerCase();
  if (text === '') return { problem: 'nothing' };
  if (START.includes(word)) return { to: { start: {} } };
  if (END.includes(word)) return { to: { end: {} } };
  const percent = PERCENT.exec(text);
  if (percent !== null) {
    const value = Number(percent[1].replace(',', '.'));
    return value <= 100 ? { to: { percent: value } } : { problem: 'percent' };
  }
  const line = LINE.exec(text);
  if (line !== null) return Number(line[1]) > 0 ? { to: { line: Number(line[1]) } } : { problem: 'unclear' };
  const cursor = cursorIn(text);
  if (cursor !== null) return { to: { cursor } };
  // Anything else with a digit in it is a time, or the server says what would be one.
  return /\d/.test(text) ? { to: { time: text } } : { problem: 'unclear' };
}

/**
 * The cursor in a link to a line, or one by itself.
 * @param {string} text
 */
function cursorIn(text) {
  const link = /[?&]at=([^&\s]+)$/.exec(text);
  const cursor = link === null ? text : decodeURIComponent(link[1].replace(/%(?![0-9a-f]{2})/gi, '%25'));
  return /^[0-9a-f]+\.[0-9a-f]*\.[0-9a-f]*\.[0-9a-f]+(~[0-9a-f.]+)*$/.test(cursor) ? cursor : null;
}
