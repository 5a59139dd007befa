/**
 * What may be typed to go somewhere in a log: `start`, `end`, `50%`, `:1234`, a time, `-10m`, or a link to a line.
 *
 * Knows no clock: now is handed in.
 */

/**
 * @typedef {{ to: import('./wire.js').Goal } | { problem: 'nothing' | 'unclear' | 'percent' }} Meant
 */

const PERCENT = /^(\d{1,3}(?:[.,]\d+)?)\s*[%％]$/;
const LINE = /^[:#：](\d{1,15})$/;
const AGO = /^[-−](\d{1,9})\s*(s|m|h|d)$/;
const CLOCK = /^(\d{1,2}):(\d{2})(?::(\d{2})([.,]\d+)?)?$/;
/** @type {Readonly<Record<string, number>>} */
const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Words for the two ends, in the page's languages. */
const START = ['start', 'top', 'begin', 'beginning', '开头', '开始'];
const END = ['end', 'bottom', 'live', 'now', '末尾', '结尾', '最新'];

/**
 * @param {string} typed
 * @param {Date} now
 * @returns {Meant}
 */
export function meant(typed, now) {
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
  const ago = AGO.exec(text);
  if (ago !== null) {
    const ms = Number(ago[1]) * SECONDS[ago[2]] * 1000;
    const then = new Date(now.getTime() - ms);
    // An instant: it holds whatever zone the log's times are in.
    return Number.isNaN(then.getTime()) ? { problem: 'unclear' } : { to: { time: then.toISOString() } };
  }
  const clock = CLOCK.exec(text);
  if (clock !== null) return timeOfDay(clock, now);
  const cursor = cursorIn(text);
  if (cursor !== null) return { to: { cursor } };
  // Any other form of time is the server's to read: it knows what stands in the log.
  return /\d/.test(text) ? { to: { time: text } } : { problem: 'unclear' };
}

/**
 * A time without a day is today's.
 * @param {RegExpExecArray} clock
 * @param {Date} now
 * @returns {Meant}
 */
function timeOfDay([, hour, minute, second = '00', fraction = ''], now) {
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return { problem: 'unclear' };
  const day = [now.getFullYear(), pad(now.getMonth() + 1), pad(now.getDate())].join('-');
  return { to: { time: `${day}T${hour.padStart(2, '0')}:${minute}:${second}${fraction.replace(',', '.')}` } };
}

/** @param {number} n */
function pad(n) {
  return String(n).padStart(2, '0');
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
