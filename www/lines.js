/**
 * The window of rows the page holds: lines of the log and marks between them, oldest first.
 *
 * Text comes in pieces of whatever size, behind what is held or before it; a half line stays open and the next piece
 * completes it in place. The window keeps the text as it came, and with each row the terminal style in force before it,
 * so that any row can be drawn without the ones above. Rows have ids: `first` is that of the oldest one held, `end` that
 * of the next to come, and the one before the oldest is `first - 1`. A row keeps its id as long as it is held.
 *
 * Where the log's cursors are known, the window remembers them as ties between a row and a cursor (`ties.js`), so that
 * reading can go on from either end, whatever has been let go there.
 *
 * Nothing is let go unless `trim` or `trimEnd` is called: where the reader stands is not known here.
 */

import { PLAIN, cutBefore, same, styleAfter } from './ansi.js';
import { fileBefore, isBorder } from './rows.js';
import { Ties } from './ties.js';

/** @typedef {import('./rows.js').Row} Row */
/** @typedef {import('./rows.js').LineRow} LineRow */
/** @typedef {import('./rows.js').Mark} Mark */

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
  #file = 0;
  #ties = new Ties();
  /** Behind everything that is held; null if nobody said. @type {string | null} */
  #back = null;
  /** By file: what to take from `line` to have the line's number in it. @type {Map<number, number>} */
  #bases = new Map();

  /** @param {Limits} limits */
  constructor(limits = LIMITS) {
    this.limits = limits;
    /** The id of the oldest row held. */
    this.first = 0;
    /** Which line the last one is: how many began since reading began. */
    this.lines = 0;
    /** How many rows were let go at the front since reading began. */
    this.letGo = 0;
    /** Grows whenever everything is forgotten: what was known of rows by their ids holds no longer. */
    this.epoch = 0;
  }

  /** The id the next row will have. */
  get end() {
    return this.first + this.#rows.length - this.#gone;
  }

  /** How many lines are held; of the first and the last perhaps only a part. */
  get held() {
    const first = this.row(this.lineFrom(this.first));
    return first?.kind === 'line' ? this.lines - first.line + 1 : 0;
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

  /** The cursor behind everything that is held. */
  get back() {
    return this.#back;
  }

  /**
   * Where older lines end: a cursor, and how many of the lines behind `first` lie before it, which will come once more.
   * @returns {{ cursor: string, again: number } | null}
   */
  get front() {
    const tie = this.#frontTie();
    return tie === null
      ? null
      : { cursor: tie.cursor, again: tie.id > this.first ? this.#linesIn(this.first, tie) : 0 };
  }

  /**
   * @param {number} id
   * @returns {Row | undefined}
   */
  row(id) {
    return id < this.first ? undefined : this.#rows[id - this.first + this.#gone];
  }

  /**
   * The line's number in its file, if it is known.
   * @param {LineRow} row
   */
  numberOf(row) {
    const base = this.#bases.get(row.file);
    return base === undefined ? null : row.line - base;
  }

  /**
   * Says the number of a line, and so that of all in its file.
   * @param {number} id
   * @param {number} number
   */
  learn(id, number) {
    const row = this.row(id);
    if (row?.kind === 'line') this.#bases.set(row.file, row.line - number);
  }

  /**
   * The id of the first line at `id` or behind it, marks left out; `end` if there is none.
   * @param {number} id
   */
  lineFrom(id) {
    let at = Math.max(id, this.first);
    while (this.row(at)?.kind === 'mark') at += 1;
    return at;
  }

  /**
   * A line near row `id` and in the same file, and its cursor: whoever knows its number knows those of all in the file.
   * @param {number} id
   * @returns {{ id: number, cursor: string } | null}
   */
  lineNear(id) {
    for (const tie of [this.#ties.upTo(id), this.#ties.behind(id)]) {
      if (tie === null || tie.within) continue;
      const line = this.row(this.lineFrom(tie.id));
      const same = line?.kind === 'line' && line.part === 0 && line.file === this.row(id)?.file;
      if (same && this.row(tie.id)?.kind === 'line') return { id: tie.id, cursor: tie.cursor };
    }
    return null;
  }

  /**
   * A cursor not far from row `id`.
   * @param {number} id
   */
  cursorNear(id) {
    return (this.#ties.upTo(id) ?? this.#frontTie())?.cursor ?? null;
  }

  /**
   * How the cursor of the line at row `id` can be found out: it is where the `lines` lines before `before` begin.
   * @param {number} id
   * @returns {{ before: string, lines: number } | null}
   */
  way(id) {
    const tie = this.#ties.behind(id) ?? this.#backTie();
    return tie === null || this.row(id)?.kind !== 'line' ? null : { before: tie.cursor, lines: this.#linesIn(id, tie) };
  }

  /**
   * Takes log text that follows directly on what came before.
   * @param {string} text
   * @param {string | null} to the cursor behind it
   * @returns {number} how many lines began with it
   */
  append(text, to = null) {
    const before = this.lines;
    this.#tie();
    for (let from = 0; from < text.length; ) {
      const newline = text.indexOf('\n', from);
      this.#extend(text.slice(from, newline < 0 ? text.length : newline));
      if (newline < 0) break;
      this.#finish();
      from = newline + 1;
    }
    this.#back = to ?? this.#back;
    return this.lines - before;
  }

  /**
   * Puts a mark behind what is there. A half line before it stays half: what follows belongs to another time or file.
   * @param {Mark} mark
   * @param {string | null} to the cursor behind it
   */
  mark(mark, to = null) {
    this.#finish();
    this.#tie();
    // A program that died while it wrote red must not colour its successor's file.
    if (mark.kind !== 'error') this.#style = PLAIN;
    if (isBorder(mark)) this.#file += 1;
    this.#rows.push({ kind: 'mark', file: this.#file, mark });
    this.#back = to ?? this.#back;
  }

  /**
   * Takes log text that ends where `front` is.
   * @param {string} text
   * @param {string} from the cursor before it
   */
  prepend(text, from) {
    const tie = this.#dropBeforeTie();
    // Of a line that is held whole, the half before the cursor comes once more.
    const whole = tie.within ? text.slice(0, text.lastIndexOf('\n') + 1) : text;
    const within = tie.within && whole === '';
    const block = new LineWindow(this.limits);
    block.append(whole);
    const next = this.row(this.first);
    const firstLine = this.row(this.lineFrom(this.first));
    const half = block.#openRow();
    // Its other half is held; or it is the log's last line, and may go on.
    const joins = half !== null && next?.kind === 'line';
    if (next !== undefined) block.#finish();
    const before = firstLine?.kind === 'line' ? firstLine.line - (joins ? 0 : 1) : this.lines;
    const file = next === undefined ? this.#file : fileBefore(next);
    for (const row of block.#rows) {
      row.file = file;
      if (row.kind === 'line') row.line += before - block.lines;
    }
    this.#rows.splice(this.#gone, 0, ...block.#rows);
    this.first -= block.#rows.length;
    this.#units += block.#units;
    if (joins) this.#join(this.first + block.#rows.length, half);
    this.#restyle(this.first + block.#rows.length, block.#style);
    this.#ties.unshift({ id: this.first, cursor: from, within });
    if (this.#back === null) this.#back = tie.cursor;
  }

  /**
   * Puts a mark before what is there. Where a file begins it is there already, perhaps: that is said with the text that
   * begins there, and to whoever asks for what lies before.
   * @param {Mark} mark
   * @param {string} from the cursor before it
   */
  prependMark(mark, from) {
    this.#dropBeforeTie();
    const next = this.row(this.first);
    if (isBorder(mark) && next?.kind === 'mark' && isBorder(next.mark)) return;
    this.#rows.splice(this.#gone, 0, { kind: 'mark', file: next === undefined ? this.#file : fileBefore(next), mark });
    this.first -= 1;
    this.#ties.unshift({ id: this.first, cursor: from, within: false });
  }

  /** Lets go of the oldest rows, so that there is room for more. */
  trim() {
    while (this.#beyond(KEPT) && this.end - this.first > 1) this.#letGoFirst();
    this.#ties.dropBefore(this.first);
    // Moving the rest down each time would be quadratic; half empty is soon enough.
    if (this.#gone > 1024 && this.#gone * 2 > this.#rows.length) {
      this.#rows.splice(0, this.#gone);
      this.#gone = 0;
    }
  }

  /**
   * Lets go of the newest rows where the limits are passed, from a line's beginning whose cursor is known.
   * @returns {boolean} whether any went: then what follows has to be asked for
   */
  trimEnd() {
    if (!this.full) return false;
    const end = this.end;
    for (const { id, cursor, within } of this.#ties.newestFirst()) {
      const row = this.row(id);
      if (within || id <= this.first || (row?.kind === 'line' && row.part > 0)) continue;
      this.#cutAt(id, cursor);
      if (!this.#beyond(KEPT)) break;
    }
    this.#ties.dropBehind(this.end);
    return this.end < end;
  }

  /**
   * Forgets everything; reading begins anew. Ids go on, so that no old id means a new row.
   * @param {string | null} cursor where it begins
   */
  clear(cursor = null) {
    this.first = this.end;
    this.#rows = [];
    this.#gone = 0;
    this.#units = 0;
    this.#style = PLAIN;
    this.#file = 0;
    this.#ties = new Ties();
    this.#bases.clear();
    this.#back = cursor;
    this.lines = 0;
    this.letGo = 0;
    this.epoch += 1;
  }

  /** @param {number} times */
  #beyond(times) {
    return this.end - this.first > this.limits.rows * times || this.#units > this.limits.units * times;
  }

  /** Remembers which row is next to come, or goes on, at the cursor that was reached. */
  #tie() {
    if (this.#back === null || this.row(this.end - 1)?.kind === 'mark') return;
    const tie = this.#backTie();
    if (tie !== null) this.#ties.push(tie);
  }

  /** @returns {import('./ties.js').Tie | null} */
  #backTie() {
    if (this.#back === null) return null;
    const open = this.#openRow();
    const id = open === null ? this.end : Math.max(this.first, this.end - 1 - open.part);
    return { id, cursor: this.#back, within: open !== null };
  }

  #frontTie() {
    return this.#ties.first ?? this.#backTie();
  }

  /**
   * How many lines begin from row `id` on and before the tie's cursor.
   * @param {number} id
   * @param {import('./ties.js').Tie} tie
   */
  #linesIn(id, tie) {
    const from = this.row(this.lineFrom(id));
    const to = this.row(this.lineFrom(tie.id));
    if (from?.kind !== 'line') return 0;
    return (to?.kind === 'line' ? to.line + (tie.within ? 1 : 0) : this.lines + 1) - from.line;
  }

  /** Lets go of the rows that will come once more. */
  #dropBeforeTie() {
    const tie = this.#frontTie();
    if (tie === null) throw new Error('prepended to a window that stands nowhere');
    while (this.first < Math.min(tie.id, this.end)) {
      this.#letGoFirst();
      this.letGo -= 1;
    }
    return tie;
  }

  #letGoFirst() {
    const row = this.#rows[this.#gone];
    if (row.kind === 'line') this.#units -= row.text.length;
    this.#rows[this.#gone] = LET_GO;
    this.#gone += 1;
    this.first += 1;
    this.letGo += 1;
  }

  /**
   * @param {number} id
   * @param {string} cursor
   */
  #cutAt(id, cursor) {
    const cut = this.row(id);
    for (let at = id; at < this.end; at += 1) {
      const row = this.row(at);
      if (row?.kind === 'line') this.#units -= row.text.length;
    }
    if (cut !== undefined) this.#file = fileBefore(cut);
    this.#rows.length = id - this.first + this.#gone;
    this.#back = cursor;
    const last = this.row(id - 1);
    this.#style = last?.kind === 'line' ? styleAfter(last.text, last.style) : PLAIN;
    for (let at = id - 1; at >= this.first; at -= 1) {
      const row = this.row(at);
      if (row?.kind !== 'line') continue;
      this.lines = row.line;
      break;
    }
  }

  /**
   * A line of which one half was prepended is shown in two rows, as a line is that is too long for one.
   * @param {number} id of the row that goes on
   * @param {LineRow} half
   */
  #join(id, half) {
    half.cut = true;
    for (let at = id, part = half.part + 1; ; at += 1, part += 1) {
      const row = this.row(at);
      if (row?.kind !== 'line' || row.line !== half.line) break;
      row.part = part;
    }
  }

  /**
   * Says what style is in force before row `id`, and so before those behind it.
   * @param {number} id
   * @param {import('./ansi.js').Style} style
   */
  #restyle(id, style) {
    for (let at = id; at < this.end; at += 1) {
      const row = this.row(at);
      if (row?.kind !== 'line' || same(row.style, style)) return;
      row.style = style;
      style = styleAfter(row.text, style);
    }
    this.#style = style;
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
    const { lines: line } = this;
    /** @type {LineRow} */
    const row = { kind: 'line', line, file: this.#file, part, text: '', style: this.#style, open: true, cut: false };
    this.#rows.push(row);
    return row;
  }
}

/** Stands in the place of a row that was let go, so that the place does not keep its text alive.
 * @type {import('./rows.js').MarkRow} */
const LET_GO = { kind: 'mark', file: 0, mark: { kind: 'end' } };
