/**
 * The log on the screen: only the rows that can be seen are nodes, whatever the number of rows.
 *
 * ```text
 *   #lines   the box that scrolls
 *     .canvas    as high as everything would be
 *       .began     what lies before the first row
 *       .rows      the rows in sight and a few around them, laid out by the browser
 * ```
 *
 * Heights are guessed from the text (`columns.js`) and put right when a row has been drawn and measured. Where the
 * reader stands is kept as a row and a distance, not as a number of pixels, so nothing moves when a guess above is put
 * right; `overflow-anchor: none` keeps the browser from doing the same a second time. Within the window's bounds all
 * rows together stay below the 17 million pixels that every browser can scroll (16 Mi characters in 30 columns, 24
 * pixels each, are 13 million), so the scroll bar needs no scale.
 *
 * Rows come and go at both ends; what is to be seen stays where it is. Where somebody goes in the log is a *goal*: a row
 * that is kept at its place until the reader scrolls, whatever comes above it.
 *
 * Knows rows and pixels; what a row looks like is `row.js`'s.
 */

import { columnsOf, rowsOf } from './columns.js';
import { copySelected, selectedIn } from './copying.js';
import { Heights } from './heights.js';
import { matchesOverwritten, shownText } from './returns.js';
import { drawRow, MARK, sameLook } from './row.js';

/** Rows of further lines are indented by so many columns; log.css says the same. */
const INDENT = 2;

/** How far beyond the edges rows are drawn, in pixels: what a quick wheel turn covers. */
const AROUND = 240;

/** Free space below the last line. */
const TAIL = 10;

/** A row that somebody goes to is shown so far down the box. */
const GOAL = 0.3;

/** Nearer than this to the end is at the end: zoomed pixels are not whole. */
const NEAR_END = 4;

/**
 * @typedef {object} Layout
 * @property {boolean} wrap
 * @property {number} size of the text
 * @property {boolean} numbers
 */

export class LineList {
  #heights = new Heights();
  /** @type {Map<number, { element: HTMLElement, look: import('./row.js').Look }>} */
  #shown = new Map();
  /** The window's epoch that the heights are of. */
  #epoch = 0;
  /** The row that is kept at its place, so far below the upper edge; a third down if that is null.
   * @type {{ id: number, below: number | null } | null} */
  #goal = null;
  /** The row that was looked for. @type {number | null} */
  #found = null;
  /** Where a line matches what is searched for.
   * @type {(text: string) => [number, number][] | undefined} */
  #marksIn = () => undefined;
  /** Whether what was written over in a row is shown, where the reader has said so. @type {Map<number, boolean>} */
  #whole = new Map();
  /** The row at the upper edge, and how far the edge lies below its top. */
  #anchor = { id: 0, below: 0 };
  /** Where the box was scrolled to when we last knew. */
  #top = 0;
  #lineHeight = 20;
  /** The screen's width in columns. */
  #width = 80;
  /** The widest line so far, in columns. */
  #widest = 0;
  /** @type {Layout} */
  #layout = { wrap: false, size: 13, numbers: false };
  /** Whether the shape of rows may have changed since the last drawing. */
  #stale = true;

  /**
   * @param {HTMLElement} box
   * @param {import('./lines.js').LineWindow} lines
   * @param {(follow: boolean) => void} onFollow the reader left the end, or came back to it
   * @param {() => void} onScroll something else has to be drawn
   */
  constructor(box, lines, onFollow, onScroll) {
    this.box = box;
    this.lines = lines;
    this.onFollow = onFollow;
    this.onScroll = onScroll;
    // What scrolls must be within reach of the keys; not every browser sees to that itself.
    box.tabIndex = 0;
    this.canvas = child(box, 'canvas');
    this.began = child(this.canvas, 'began');
    this.rows = child(this.canvas, 'rows');
    this.probe = child(this.canvas, 'probe');
    this.probe.textContent = '0'.repeat(64);
    this.probe.ariaHidden = 'true';
    box.addEventListener(
      'scroll',
      () => {
        if (this.#notice()) this.onScroll();
      },
      { passive: true },
    );
    // While lines stream in, each frame goes back to the end; the wheel must not have to win a race against that.
    box.addEventListener(
      'wheel',
      (event) => {
        if (event.deltaY < 0 && !event.ctrlKey && this.#room() > 0) this.onFollow(false);
      },
      { passive: true },
    );
    box.addEventListener('click', (event) => this.#turn(event));
    box.addEventListener('copy', (event) => copySelected(event, this.rows));
    document.addEventListener('selectionchange', () => {
      // What somebody marks must not run away.
      if (selectedIn(this.rows) !== null) this.onFollow(false);
    });
    new ResizeObserver(() => {
      this.#stale = true;
      this.onScroll();
    }).observe(box);
  }

  /**
   * @param {Layout} layout
   * @param {import('./row.js').Manner} manner
   */
  style(layout, manner) {
    this.#layout = layout;
    this.manner = manner;
    this.#lineHeight = Math.round(layout.size * 1.5);
    this.box.style.setProperty('--size', `${layout.size}px`);
    this.box.style.setProperty('--line', `${this.#lineHeight}px`);
    this.box.classList.toggle('wrap', layout.wrap);
    this.box.classList.toggle('numbers', layout.numbers);
    // The rows stay until the next drawing replaces them: nobody may find the page without its lines.
    this.#width = 0;
    this.#stale = true;
  }

  /** @param {(text: string) => [number, number][] | undefined} marksIn where a line matches what is searched for */
  mark(marksIn) {
    this.#marksIn = marksIn;
  }

  /**
   * Goes to a row, and keeps it at its place.
   * @param {number} id
   * @param {import('./reader.js').Goal} goal
   */
  show(id, { below, found }) {
    this.#goal = { id, below };
    this.#found = found ? id : null;
    this.onScroll();
  }

  /** No row is the one that was looked for any more. */
  unfind() {
    this.#found = null;
  }

  /** The row at the upper edge, and how far below it its top lies. */
  get top() {
    const { id, below } = this.#anchor;
    return { id, below: -below };
  }

  /** The row that was looked for, or else the first in sight. */
  get current() {
    return this.lines.lineFrom(this.#found ?? this.#anchor.id);
  }

  /** How much there is to be scrolled to, and how much is seen. */
  get room() {
    const above = this.box.scrollTop;
    return { above, below: Math.max(0, this.#room() - above), height: this.box.clientHeight };
  }

  /**
   * Brings the screen in line with the window.
   * @param {boolean} stick stay at the end
   */
  draw(stick) {
    if (this.manner === undefined) return;
    this.#notice();
    if (this.#stale) this.#measureScreen();
    this.#takeRows();
    const heights = this.#heights;
    const height = this.box.clientHeight;
    let top = this.#wanted(stick, height);
    // A row that was measured may move others into sight; after the second time the rest can wait for the next frame.
    for (let pass = 0; pass < 3 && heights.end > heights.first; pass += 1) {
      const from = heights.at(top - this.#head() - AROUND);
      const to = heights.at(top - this.#head() + height + AROUND);
      this.#place(from, to);
      this.rows.style.top = `${this.#head() + heights.top(from)}px`;
      const changed = this.#measureRows();
      this.rows.style.top = `${this.#head() + heights.top(from)}px`;
      top = this.#wanted(stick, height);
      if (!changed) break;
    }
    if (heights.end === heights.first) this.#forgetRows();
    this.canvas.style.height = `${this.#total()}px`;
    this.canvas.style.minWidth = this.#layout.wrap ? '' : `calc(${this.#widest}ch + var(--gutter) + 40px)`;
    if (Math.abs(this.box.scrollTop - top) >= 1) this.box.scrollTop = top;
    this.#top = this.box.scrollTop;
    this.#anchor = this.#anchorAt(this.#top);
  }

  /** @param {number} lines how many to move by; negative is up */
  moveLines(lines) {
    this.#move(lines * this.#lineHeight);
  }

  /** @param {number} pages */
  movePages(pages) {
    this.#move(pages * Math.max(this.#lineHeight, this.box.clientHeight - 2 * this.#lineHeight));
  }

  toTop() {
    this.onFollow(false);
    this.box.scrollTop = 0;
    if (this.#notice()) this.onScroll();
  }

  /** @param {number} pixels */
  #move(pixels) {
    if (pixels < 0 && this.#room() > 0) this.onFollow(false);
    this.box.scrollTop += pixels;
    if (this.#notice()) this.onScroll();
  }

  /**
   * Notices that the reader scrolled, and whether that means something for following.
   * @returns {boolean} whether it did
   */
  #notice() {
    const top = this.box.scrollTop;
    const moved = top - this.#top;
    if (Math.abs(moved) < 1) return false;
    this.#top = top;
    this.#anchor = this.#anchorAt(top);
    this.#goal = null;
    const atEnd = top >= this.#room() - NEAR_END;
    if (moved < 0 && !atEnd) this.onFollow(false);
    if (moved > 0 && atEnd) this.onFollow(true);
    return true;
  }

  /** How far the box can be scrolled. */
  #room() {
    return this.box.scrollHeight - this.box.clientHeight;
  }

  /** Height of what lies before the first row. */
  #head() {
    return this.#lineHeight * 2;
  }

  #total() {
    return this.#head() + this.#heights.total + TAIL;
  }

  /**
   * @param {boolean} stick
   * @param {number} height
   */
  #wanted(stick, height) {
    const room = Math.max(0, this.#total() - height);
    if (stick) {
      this.#goal = null;
      return room;
    }
    const goal = this.#goal;
    if (goal !== null && goal.id >= this.#heights.first && goal.id < this.#heights.end) {
      const below = goal.below ?? Math.round(height * GOAL);
      return Math.min(room, Math.max(0, this.#head() + this.#heights.top(goal.id) - below));
    }
    const id = Math.min(Math.max(this.#anchor.id, this.#heights.first), this.#heights.end);
    return Math.min(room, Math.max(0, this.#head() + this.#heights.top(id) + this.#anchor.below));
  }

  /** @param {number} top */
  #anchorAt(top) {
    if (this.#heights.end === this.#heights.first) return { id: this.#heights.first, below: 0 };
    const id = this.#heights.at(top - this.#head());
    return { id, below: top - this.#head() - this.#heights.top(id) };
  }

  /** Takes over what came to the window and what left it. */
  #takeRows() {
    const { lines } = this;
    const heights = this.#heights;
    if (lines.epoch !== this.#epoch) {
      this.#epoch = lines.epoch;
      this.#found = this.#goal !== null && this.#found === this.#goal.id ? this.#found : null;
      this.#anchor = { id: lines.first, below: 0 };
      this.#whole.clear();
      this.#restart();
    } else if (lines.first >= heights.end || lines.end <= heights.first) {
      this.#restart();
    }
    heights.dropBefore(lines.first);
    heights.dropFrom(lines.end);
    // Only the row that was last may have changed since: it was open, or it was cut.
    if (heights.end > heights.first) heights.set(heights.end - 1, this.#guess(heights.end - 1));
    while (heights.first > lines.first) heights.unshift(this.#guess(heights.first - 1));
    while (heights.end < lines.end) heights.push(this.#guess(heights.end));
  }

  /** Forgets all rows; the window's are taken over anew. */
  #restart() {
    this.#heights.reset(this.lines.first);
    this.#widest = 0;
    this.#forgetRows();
  }

  /** @param {number} id */
  #guess(id) {
    const row = this.lines.row(id);
    if (row === undefined || row.kind === 'mark') return this.#lineHeight + 14;
    if (this.#layout.wrap) return rowsOf(shownText(row.text), this.#width, INDENT) * this.#lineHeight;
    this.#widest = Math.max(this.#widest, columnsOf(shownText(row.text)));
    return this.#lineHeight;
  }

  /** How many columns there are; if that changed, all guesses are made again. */
  #measureScreen() {
    this.#stale = false;
    const digits = this.#layout.numbers ? this.#digits() + 2 : 0;
    this.box.style.setProperty('--gutter', `${digits}ch`);
    const column = this.probe.getBoundingClientRect().width / 64;
    const style = getComputedStyle(this.rows);
    const sides = Number.parseFloat(style.paddingLeft) + Number.parseFloat(style.paddingRight);
    const width = Math.max(10, Math.floor((this.box.clientWidth - sides - digits * column) / column + 0.01));
    if (width === this.#width) return;
    const restyled = this.#width === 0;
    this.#width = width;
    if (!restyled && !this.#layout.wrap && this.#shown.size > 0) return;
    this.#restart();
  }

  /** How many digits the largest of the lines' numbers has. */
  #digits() {
    let most = 1000;
    for (const id of [this.lines.first, this.lines.end - 1]) {
      const row = this.lines.row(id);
      if (row?.kind === 'line') most = Math.max(most, this.lines.numberOf(row) ?? 0);
    }
    return String(most).length;
  }

  /**
   * Makes nodes of the rows `from` to `to`, and of no others. Those that stay are the same nodes, so that a selection
   * in them lasts.
   * @param {number} from
   * @param {number} to
   */
  #place(from, to) {
    for (const [id, { element }] of this.#shown) {
      if (id < from || id > to) {
        element.remove();
        this.#shown.delete(id);
      }
    }
    let node = this.rows.firstChild;
    for (let id = from; id <= to; id += 1) {
      const row = this.lines.row(id);
      if (row === undefined) continue;
      const old = this.#shown.get(id);
      const look = this.#look(id, row);
      if (old !== undefined && sameLook(old.look, look)) {
        node = old.element.nextSibling;
        continue;
      }
      const element = drawRow(row, look, /** @type {import('./row.js').Manner} */ (this.manner));
      element.dataset.row = String(id);
      this.#shown.set(id, { element, look });
      if (old === undefined) {
        this.rows.insertBefore(element, node);
      } else {
        const focused = old.element.contains(document.activeElement);
        old.element.replaceWith(element);
        if (focused) element.querySelector('button')?.focus({ preventScroll: true });
        node = element.nextSibling;
      }
    }
  }

  /**
   * What a row is drawn from.
   * @param {number} id
   * @param {import('./rows.js').Row} row
   * @returns {import('./row.js').Look}
   */
  #look(id, row) {
    if (row.kind === 'mark') return { ...MARK, mark: row.mark };
    const { text, open, cut, part, style } = row;
    const number = this.#layout.numbers && part === 0 ? this.lines.numberOf(row) : null;
    const [marks, found] = [this.#marksIn(text), id === this.#found];
    const whole = this.#whole.get(id) ?? matchesOverwritten(text, marks, found);
    return { text, open, cut, part, style, number, marks, found, whole, mark: null };
  }

  /**
   * Shows what was written over in a row, or hides it again.
   * @param {MouseEvent} event
   */
  #turn({ target, detail, clientX, clientY }) {
    // A row that is still written may have been drawn anew between the press and the click.
    const at = detail === 0 ? target : document.elementFromPoint(clientX, clientY);
    const button = at instanceof Element ? at.closest('.overwritten') : null;
    const row = button?.closest('.line');
    if (!(row instanceof HTMLElement)) return;
    this.#whole.set(Number(row.dataset.row), button?.ariaExpanded !== 'true');
    this.onScroll();
  }

  /** @returns {boolean} whether a row is not as high as was guessed */
  #measureRows() {
    let changed = false;
    for (const [id, { element }] of this.#shown) {
      const { height } = element.getBoundingClientRect();
      if (Math.abs(height - this.#heights.of(id)) < 0.5) continue;
      this.#heights.set(id, height);
      changed = true;
    }
    return changed;
  }

  #forgetRows() {
    this.#shown.clear();
    this.rows.replaceChildren();
  }
}

/**
 * @param {HTMLElement} parent
 * @param {string} name
 */
function child(parent, name) {
  const element = document.createElement('div');
  element.className = name;
  parent.append(element);
  return element;
}
