/**
 * A filter as the reader makes it: chips, each of them text that lines must have or must not have, and how they are
 * meant. Pure values; what the server is told of it is `patternsOf`, how an address says it `filterQuery`.
 */

/** How patterns are meant, in a filter as in a search. @typedef {object} Manner
 * @property {boolean} exactCase whether capitals make a difference
 * @property {boolean} words whether only whole words match
 * @property {boolean} regex whether they are regular expressions
 */

/** @typedef {{ text: string, not: boolean }} Chip */

/**
 * @typedef {object} Filter
 * @property {readonly Chip[]} chips
 * @property {Chip} draft what is being typed
 * @property {Manner} manner
 * @property {boolean} on
 */

/** @typedef {import('./wire.js').Patterns} Patterns */

/** @type {Readonly<Manner>} */
export const LITERAL = Object.freeze({ exactCase: false, words: false, regex: false });

/** @type {Readonly<Filter>} */
export const NO_FILTER = Object.freeze({
  chips: [],
  draft: Object.freeze({ text: '', not: false }),
  manner: LITERAL,
  on: true,
});

/**
 * @param {Filter} filter
 * @param {Chip} chip
 * @returns {Filter}
 */
export function withChip(filter, chip) {
  const known = filter.chips.some((other) => other.text === chip.text && other.not === chip.not);
  const draft = { ...chip, text: '' };
  return chip.text === '' || known
    ? { ...filter, draft }
    : { ...filter, chips: [...filter.chips, chip], draft, on: true };
}

/**
 * @param {Filter} filter
 * @param {number} index
 * @returns {Filter}
 */
export function withoutChip(filter, index) {
  return { ...filter, chips: filter.chips.filter((_, i) => i !== index) };
}

/**
 * How many conditions there are, what is being typed included.
 * @param {Filter} filter
 */
export function conditions({ chips, draft }) {
  return chips.length + (draft.text === '' ? 0 : 1);
}

/**
 * What the server is to be told; null for no filter.
 * @param {Filter} filter
 * @returns {Patterns | null}
 */
export function patternsOf(filter) {
  const { chips, draft, manner, on } = filter;
  const all = draft.text === '' ? chips : [...chips, draft];
  if (!on || all.length === 0) return null;
  return {
    grep: all.filter((chip) => !chip.not).map((chip) => chip.text),
    not: all.filter((chip) => chip.not).map((chip) => chip.text),
    ...meaning(manner),
  };
}

/**
 * @param {Manner} manner
 * @returns {{ ignore_case: boolean, words: boolean, literal: boolean }}
 */
export function meaning({ exactCase, words, regex }) {
  return { ignore_case: !exactCase, words, literal: !regex };
}

/**
 * Whether two say the same.
 * @param {Patterns | null} a
 * @param {Patterns | null} b
 */
export function samePatterns(a, b) {
  return JSON.stringify(a) === JSON.stringify(b);
}

/**
 * The query by which the server is asked for filtered lines from the start; empty for none.
 * @param {Patterns | null} patterns
 */
export function patternsQuery(patterns) {
  const query = new URLSearchParams();
  if (patterns === null) return query;
  for (const text of patterns.grep) query.append('grep', text);
  for (const text of patterns.not) query.append('not', text);
  for (const name of /** @type {const} */ (['ignore_case', 'words', 'literal'])) {
    if (patterns[name]) query.append(name, '1');
  }
  return query;
}

/**
 * The same as part of the page's address, which also says whether the filter is off.
 * @param {Filter} filter
 */
export function filterQuery(filter) {
  const query = patternsQuery(patternsOf({ ...filter, on: true }));
  if (!filter.on && query.size > 0) query.append('off', '1');
  return query;
}

/**
 * The filter that an address says.
 * @param {URLSearchParams} query
 * @returns {Filter}
 */
export function filterIn(query) {
  const chips = [
    ...query.getAll('grep').map((text) => ({ text, not: false })),
    ...query.getAll('not').map((text) => ({ text, not: true })),
  ].filter((chip) => chip.text !== '');
  if (chips.length === 0) return NO_FILTER;
  /** @param {string} name */
  const says = (name) => query.get(name) === '1';
  const manner = { exactCase: !says('ignore_case'), words: says('words'), regex: !says('literal') };
  return { ...NO_FILTER, chips, manner, on: !says('off') };
}
