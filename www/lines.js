/**
 * The window of rows the page holds: lines of the log and marks between them, oldest first.
 *
 * Text comes in pieces of whatever size; a half line stays open and the next piece completes it in place. The window
 * keeps the text as it came, and with each row the terminal style in force before it, so that any row can be drawn
 * without the ones above. Rows have ids that only ever grow; `first` is the oldest one held, `end` the next to come.
 *
 * Nothing is let go unless `trim` is called: whether the reader stands at the end is not known here.
 */

import { PLAIN, cutBefore, styleAfter } from './ansi.js';

/**
 * A line of the log, or the part of a very long one.
 * @typedef {object} LineRow
 * @property {'line'} kind
 * @property {number} line the line's number, counted from where reading began
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
 * @property {Mark} mark
 */

/**
 * @typedef {{ kind: 'rotated' }
 *   | { kind: 'truncated' }
 *   | { kind: 'gap', bytes: number | null, why: string }
 *   | { kind: 'missing', why: string }
 *   | { kind: 'back' }
 *   | { kind: 'end' }
 *   | { kind: 'error', message: string }} Mark
 */

/** @typedef {LineRow | MarkRow} Row */

/**
 * @typedef {object} Limits
 * @property {number} rows
 * @property {number} units of UTF-16, two bytes each
 * @property {number} line the longest row in units; a longer line is cut
 */

/** 50,000 rows and 32 MiB of text; a line over 64 Ki characters is cut. */
export const LIMITS = Object.freeze({ rows: 50_000, units: 16 * 1024 * 1024, line: 64 * 1024 });

/**
 * What `trim` leaves of a full window: the rest is room for what comes while the reader looks at something further up,
 * before the server has to be asked to wait.
 */
const KEPT = 0.8;

/** How far the window may pass its limits while a `pause` is still on its way to the server. */
const SLACK = 1.5;

export class LineWindow {
  /** @type {Row[]} */
  #rows = [];
  /** Rows at the front of `#rows` that have been let go already. */
  #gone = 0;
  #units = 0;
  /** @type {import('./ansi.js').Style} */
  #style = PLAIN;

  /** @param {Limits} limits */
  constructor(limits = LIMITS) {
    this.limits = limits;
    /** The id of the oldest row held. */
    this.first = 0;
    /** How many lines began since reading began. */
    this.lines = 0;
    /** How many rows were let go since reading began. */
    this.letGo = 0;
  }

  /** The id the next row will have. */
  get end() {
    return this.first + this.#rows.length - this.#gone;
  }

  /** How much text is held, in UTF-16 units. */
  get units() {
    return this.#units;
  }

  /** Whether the limits are reached: the server should be asked to wait, or `trim` be called. */
  get full() {
    return this.#beyond(1);
  }

  /** Whether even the slack is used up: nothing more may be added. */
  get overfull() {
    return this.#beyond(SLACK);
  }

  /**
   * @param {number} id
   * @returns {Row | undefined}
   */
  row(id) {
    return id < this.first ? undefined : this.#rows[id - this.first + this.#gone];
  }

  /**
   * Takes log text that follows directly on what came before.
   * @param {string} text
   * @returns {number} how many lines began with it
   */
  append(text) {
    const before = this.lines;
    for (let from = 0; from < text.length; ) {
      const newline = text.indexOf('\n', from);
      this.#extend(text.slice(from, newline < 0 ? text.length : newline));
      if (newline < 0) break;
      this.#finish();
      from = newline + 1;
    }
    return this.lines - before;
  }

  /**
   * Puts a mark behind what is there. A half line before it stays half: what follows belongs to another time or file.
   * @param {Mark} mark
   */
  mark(mark) {
    this.#finish();
    // A program that died while it wrote red must not colour its successor's file.
    if (mark.kind !== 'error') this.#style = PLAIN;
    this.#rows.push({ kind: 'mark', mark });
  }

  /** Lets go of the oldest rows, so that there is room for more. */
  trim() {
    while (this.#beyond(KEPT) && this.end - this.first > 1) {
      const row = this.#rows[this.#gone];
      if (row.kind === 'line') this.#units -= row.text.length;
      this.#rows[this.#gone] = LET_GO;
      this.#gone += 1;
      this.first += 1;
      this.letGo += 1;
    }
    // Moving the rest down each time would be quadratic; half empty is soon enough.
    if (this.#gone > 1024 && this.#gone * 2 > this.#rows.length) {
      this.#rows.splice(0, this.#gone);
      this.#gone = 0;
    }
  }

  /** Forgets everything; reading begins anew. Ids go on, so that no old id means a new row. */
  clear() {
    this.first = this.end;
    this.#rows = [];
    this.#gone = 0;
    this.#units = 0;
    this.#style = PLAIN;
    this.lines = 0;
    this.letGo = 0;
  }

  /** @param {number} times */
  #beyond(times) {
    return this.end - this.first > this.limits.rows * times || this.#units > this.limits.units * times;
  }

  /** @returns {LineRow | null} */
  #openRow() {
    const last = this.#rows.at(-1);
    return last !== undefined && last.kind === 'line' && last.open ? last : null;
  }

  /** @param {string} piece text without a line end */
  #extend(piece) {
    let row = this.#openRow();
    if (row === null) {
      this.lines += 1;
      row = this.#push(0);
    }
    row.text += piece;
    this.#units += piece.length;
    while (row.text.length > this.limits.line) {
      const cut = cutBefore(row.text, this.limits.line);
      const rest = row.text.slice(cut);
      row.text = row.text.slice(0, cut);
      row.open = false;
      row.cut = true;
      this.#style = styleAfter(row.text, row.style);
      row = this.#push(row.part + 1);
      row.text = rest;
    }
  }

  /** Ends the half line, if there is one. */
  #finish() {
    const row = this.#openRow();
    if (row === null) return;
    if (row.text.endsWith('\r')) {
      row.text = row.text.slice(0, -1);
      this.#units -= 1;
    }
    row.open = false;
    this.#style = styleAfter(row.text, row.style);
  }

  /**
   * @param {number} part
   * @returns {LineRow}
   */
  #push(part) {
    /** @type {LineRow} */
    const row = { kind: 'line', line: this.lines, part, text: '', style: this.#style, open: true, cut: false };
    this.#rows.push(row);
    return row;
  }
}

/** Stands in the place of a row that was let go, so that the place does not keep its text alive.
 * @type {MarkRow} */
const LET_GO = { kind: 'mark', mark: { kind: 'end' } };
