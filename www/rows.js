/**
 * What the rows of a window are: lines of the log, and marks between them.
 */

/**
 * A line of the log, or the part of a very long one.
 * @typedef {object} LineRow
 * @property {'line'} kind
 * @property {number} line which line it is, counted from where reading began; those that were prepended are 0, -1, …
 * @property {number} file which file of those held it is in: one more behind each rotation or truncation
 * @property {number} part 0, or which further part of a cut line this is
 * @property {string} text without its line end
 * @property {import('./ansi.js').Style} style in force before the text
 * @property {boolean} open no line end yet: the next text goes on here
 * @property {boolean} cut the line goes on in the next row
 */

/**
 * Something that happened to the log between two lines.
 * @typedef {object} MarkRow
 * @property {'mark'} kind
 * @property {number} file the one behind the mark
 * @property {Mark} mark
 */

/**
 * @typedef {{ kind: 'rotated' }
 *   | { kind: 'truncated' }
 *   | { kind: 'gap', bytes: number | null, why: string }
 *   | { kind: 'missing', why: string }
 *   | { kind: 'back' }
 *   | { kind: 'end' }
 *   | { kind: 'error', why: import('./wire.js').Refusal }} Mark
 */

/** @typedef {LineRow | MarkRow} Row */

/**
 * Whether another file begins behind the mark.
 * @param {Mark} mark
 */
export function isBorder(mark) {
  return mark.kind === 'rotated' || mark.kind === 'truncated';
}

/**
 * Which file the text before a row is in.
 * @param {Row} row
 */
export function fileBefore(row) {
  return row.kind === 'mark' && isBorder(row.mark) ? row.file - 1 : row.file;
}
