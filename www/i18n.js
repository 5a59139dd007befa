/**
 * The page's languages: their words, and how numbers are written. A test holds that both tables of words have the same
 * entries and that the page asks for no others.
 *
 * Knows no DOM.
 */

import { chinese, chineseSentences } from './chinese.js';
import { english } from './english.js';

/** @typedef {'en' | 'zh'} Language */

/** @typedef {typeof english} Words */

/** @type {Record<Language, Words>} */
export const WORDS = { en: english, zh: chinese };

/** What the server says, by its code or else by the sentence itself; in English it says it best. @type {Record<Language, Map<string, string>>} */
export const SENTENCES = { en: new Map(), zh: new Map(Object.entries(chineseSentences)) };

/**
 * What the server says, in the page's language if the page knows how.
 * @param {import('./wire.js').Refusal} refusal
 * @param {Language} language
 */
export function translated({ code, message }, language) {
  const sentence = SENTENCES[language].get(code) ?? SENTENCES[language].get(message) ?? message;
  // What exactly is wrong, only the server's own words say.
  return (code === 'syntax' || code === 'unstarted') && sentence !== message ? `${sentence} (${message})` : sentence;
}

/**
 * Why a log is not there, in the page's language if the page knows how.
 * @param {string} why the server's sentence
 * @param {Language} language
 */
export function reason(why, language) {
  return translated({ code: '', message: why }, language);
}

/**
 * Whether that is why a log is not there. Any other sentence says why it cannot be read; it may well be there.
 * @param {string} why the server's sentence
 */
export function saysAbsent(why) {
  return ['', 'there is no such file', 'It does not exist yet.'].includes(why);
}

/**
 * The language to speak: the chosen one, else the first of the browser's that we know.
 * @param {'auto' | Language} chosen
 * @param {readonly string[]} preferred the browser's list, such as `['zh-CN', 'en']`
 * @returns {Language}
 */
export function languageFor(chosen, preferred) {
  if (chosen !== 'auto') return chosen;
  for (const tag of preferred) {
    const primary = tag.toLowerCase().split('-')[0];
    if (primary === 'zh' || primary === 'en') return primary;
  }
  return 'en';
}

/** The `lang` of the page, which also chooses the forms of Chinese characters. */
export const TAGS = Object.freeze({ en: 'en', zh: 'zh-CN' });

/**
 * `12,345`
 * @param {number} n
 * @param {Language} language
 */
export function count(n, language) {
  return n.toLocaleString(TAGS[language], { maximumFractionDigits: 0 });
}

/**
 * Lines per second: exact while few, no false precision when many.
 * @param {number} perSecond
 * @param {Language} language
 */
export function rate(perSecond, language) {
  const shown = perSecond >= 10 ? Math.round(perSecond) : Math.round(perSecond * 10) / 10;
  return shown.toLocaleString(TAGS[language], { maximumFractionDigits: 1 });
}

/**
 * `1.4 MiB`; powers of 1024 with their own names.
 * @param {number} n
 * @param {Language} language
 */
export function bytes(n, language) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  let value = n;
  // 1023.95 KiB would be written "1,024 KiB".
  while (value >= 1023.95 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toLocaleString(TAGS[language], { maximumFractionDigits: digits })} ${units[unit]}`;
}

/**
 * `4.2 s`, `1 min 5 s`, `2 h 7 min`
 * @param {number} ms
 * @param {Language} language
 */
export function duration(ms, language) {
  const units = { en: ['h', 'min', 's'], zh: ['小时', '分', '秒'] }[language];
  if (ms < 9_950) return `${(ms / 1000).toLocaleString(TAGS[language], { maximumFractionDigits: 1 })} ${units[2]}`;
  const seconds = Math.round(ms / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const first = parts.findIndex((part) => part > 0);
  return parts
    .map((part, i) => (i < first || i > first + 1 || (i > first && part === 0) ? '' : `${part} ${units[i]}`))
    .filter((part) => part !== '')
    .join(' ');
}

/**
 * What the server does, and how far it has come.
 * @param {{ what: string, share: number } | null} progress
 * @param {Words} words
 */
export function doingText(progress, words) {
  if (progress === null) return '';
  const doing = { unpacking: words.unpacking, counting: words.counting }[progress.what] ?? words.searching;
  return `${doing} ${Math.floor(progress.share * 100)} %`;
}
