/**
 * How grave a line is, judged by where it says so: a level stands near the start of a line, by itself. The word
 * "error" somewhere in a sentence means nothing.
 */

import { plainStart } from './ansi.js';

/** @typedef {'error' | 'warn' | 'debug' | null} Level */

/** A level further in than this is part of what the line tells. */
const NEAR = 96;

// In capitals by itself, or in any case where the form says that it is a level: `[error]`, `level=error`,
// `"level":"error"`, `<error>`. The first level found decides: in "INFO ERROR count 0" it is INFO.
const MEANS = /** @type {const} */ ({
  error: ['EMERG', 'ALERT', 'PANIC', 'FATAL', 'CRITICAL', 'CRIT', 'SEVERE', 'ERROR', 'ERR', '致命', '严重', '错误'],
  warn: ['WARNING', 'WARN', '警告'],
  debug: ['DEBUG', 'DBG', 'TRACE', 'VERBOSE', '调试'],
  none: ['NOTICE', 'INFO', '信息'],
});
const WORDS = Object.values(MEANS).flat().join('|');
const BY_ITSELF = new RegExp(`(?:^|[\\s[(<|:=【-])(${WORDS})(?=$|[\\s\\])>|:：,/】-])`);
const BY_FORM = new RegExp(`(?:[[<]|(?:level|lvl|severity)["']?\\s*[=:]\\s*["']?)(${WORDS})(?=$|[\\s\\]>"',:}])`, 'i');
// glog: `E1121 00:36:12.000001 …`; kernel and journal: `<3>`.
const GLOG = /^([EWFID])\d{4} \d\d:/;
const PRIORITY = /^<([0-7])>/;

/**
 * @param {string} text a line, escapes included
 * @returns {Level}
 */
export function levelOf(text) {
  const start = plainStart(text, NEAR);
  const glog = GLOG.exec(start);
  if (glog !== null) return meaning({ E: 'ERROR', F: 'FATAL', W: 'WARN', D: 'DEBUG' }[glog[1]] ?? 'INFO');
  const priority = PRIORITY.exec(start);
  if (priority !== null) return priority[1] < '4' ? 'error' : priority[1] === '4' ? 'warn' : null;
  const found = [BY_ITSELF.exec(start), BY_FORM.exec(start)].filter((match) => match !== null);
  found.sort((a, b) => wordAt(a) - wordAt(b));
  return found.length === 0 ? null : meaning(found[0][1].toUpperCase());
}

/** @param {RegExpExecArray} match */
function wordAt(match) {
  return match.index + match[0].length - match[1].length;
}

/**
 * @param {string} word
 * @returns {Level}
 */
function meaning(word) {
  for (const level of /** @type {const} */ (['error', 'warn', 'debug'])) {
    if (/** @type {readonly string[]} */ (MEANS[level]).includes(word)) return level;
  }
  return null;
}
