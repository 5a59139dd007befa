/**
 * What may be typed to go somewhere in a log: `start`, `end`, `50%`, `:1234`, a time, `-10m`, or a link to a line.
 *
 * Knows no clock: now is handed in.
 */

/**
 * What was meant; `clock` is a time of no day.
 * @typedef {{ to: import('./wire.js').Goal } | { clock: string } | { problem: 'nothing' | 'unclear' | 'percent' }} Meant
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
  if (clock !== null) return timeOfDay(clock);
  const cursor = cursorIn(text);
  if (cursor !== null) return { to: { cursor } };
  // Any other form of time is the server's to read: it knows what stands in the log.
  return /\d/.test(text) ? { to: { time: text } } : { problem: 'unclear' };
}

/**
 * @param {RegExpExecArray} clock
 * @returns {Meant}
 */
function timeOfDay([, hour, minute, second = '00', fraction = '']) {
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return { problem: 'unclear' };
  return { clock: `${hour.padStart(2, '0')}:${minute}:${second}${fraction.replace(',', '.')}` };
}

/** A log that was not written to for so many days is shown from its end. */
const LONGEST = 512;

/**
 * Looks for the last time that it was `clock` in a log: today's if it has lines from then on, else that of the day before,
 * and so on, in ever longer steps, then between the last two.
 * @param {string} clock
 * @param {Date} now
 * @param {(to: import('./wire.js').Goal) => Promise<import('./reader.js').Sought>} find
 */
export async function lastTime(clock, now, find) {
  let [late, early] = [-1, 0];
  let sought = await find(onDay(clock, now, early));
  while (sought.kind === 'at' && !sought.place.exact && early < LONGEST) {
    [late, early] = [early, early * 2 || 1];
    sought = await find(onDay(clock, now, early));
  }
  while (sought.kind === 'at' && sought.place.exact && early - late > 1) {
    const middle = (early + late) >> 1;
    const nearer = await find(onDay(clock, now, middle));
    if (nearer.kind !== 'at') return nearer;
    if (nearer.place.exact) [early, sought] = [middle, nearer];
    else late = middle;
  }
  return sought;
}

/**
 * @param {string} clock
 * @param {Date} now
 * @param {number} days before today
 * @returns {import('./wire.js').Goal}
 */
function onDay(clock, now, days) {
  const then = new Date(now.getFullYear(), now.getMonth(), now.getDate() - days);
  const day = [String(then.getFullYear()).padStart(4, '0'), pad(then.getMonth() + 1), pad(then.getDate())].join('-');
  return { time: `${day}T${clock}` };
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
