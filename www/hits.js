/**
 * The list of what a search has found: only the hits in sight are nodes, all of the same height.
 *
 * While hits come in above and below, what the reader looks at stays where it is: the hit that lies nearest, until the
 * list is scrolled.
 */

import { PLAIN } from './ansi.js';
import { make } from './elements.js';
import { count } from './i18n.js';
import { stateOf } from './returns.js';
import { drawText } from './row.js';

/** Hits drawn beyond the edges. */
const AROUND = 4;

/** Width of a character in a hit, and of what stands before its text, in pixels: about. */
const COLUMN = 7.6;
const BESIDE = 170;

/** Characters of a place for which there is room in that; and columns at the end that what is cut off may cover. */
const PLACE = 19;
const CUT = 2;

/** @typedef {import('./wire.js').Hit} Hit */

export class HitList {
  /** @type {readonly Hit[]} */
  #hits = [];
  #index = -1;
  /** The hit that is kept at its place, and how far below the upper edge. @type {{ hit: Hit, below: number } | null} */
  #anchor = null;
  /** Where the box was scrolled to when we last knew. */
  #top = 0;
  /** What is drawn. @type {unknown[]} */
  #drawn = [];

  /**
   * @param {HTMLElement} box
   * @param {(index: number) => void} choose
   * @param {() => void} onScroll
   */
  constructor(box, choose, onScroll) {
    this.box = box;
    this.canvas = make('div', 'canvas');
    this.rows = make('div', 'rows');
    this.canvas.append(this.rows);
    box.append(this.canvas);
    box.addEventListener('scroll', onScroll, { passive: true });
    box.addEventListener('click', (event) => {
      const row = event.target instanceof Element ? event.target.closest('.found-line') : null;
      if (row instanceof HTMLElement) choose(Number(row.dataset.index));
    });
  }

  /**
   * @param {import('./searching.js').Found} found
   * @param {import('./row.js').Manner} manner
   */
  draw({ hits, index, nearest }, manner) {
    const { box } = this;
    const height = this.#rowHeight();
    const room = box.clientHeight;
    if (Math.abs(box.scrollTop - this.#top) >= 1 && hits.length > 0) this.#remember(height);
    if (hits.length === 0) this.#anchor = null;
    this.canvas.style.height = `${hits.length * height}px`;
    let top = box.scrollTop;
    if (hits !== this.#hits) {
      const anchor = this.#anchor ?? { hit: hits[nearest], below: (room - height) / 2 };
      top = hits.indexOf(anchor.hit) * height - anchor.below;
    }
    if (index !== this.#index && index >= 0) {
      top = Math.max(Math.min(top, (index - 1) * height), (index + 2) * height - room);
    }
    this.#hits = hits;
    this.#index = index;
    top = Math.max(0, Math.min(top, hits.length * height - room));
    if (Math.abs(box.scrollTop - top) >= 1) box.scrollTop = top;
    this.#top = box.scrollTop;
    const from = Math.max(0, Math.floor(this.#top / height) - AROUND);
    const to = Math.min(hits.length, Math.ceil((this.#top + room) / height) + AROUND);
    const columns = Math.max(20, Math.floor((box.clientWidth - BESIDE) / COLUMN));
    const drawn = [hits, from, to, columns, index, nearest, manner.theme, manner.language, manner.redacted];
    if (drawn.every((part, i) => part === this.#drawn[i])) return;
    this.#drawn = drawn;
    this.rows.style.top = `${from * height}px`;
    this.rows.replaceChildren(
      ...hits.slice(from, to).map((hit, i) => drawHit(hit, from + i, columns, { index, nearest }, manner)),
    );
    const current = index >= 0 ? this.rows.querySelector(`[data-index="${index}"]`) : null;
    if (current === null) box.removeAttribute('aria-activedescendant');
    else box.setAttribute('aria-activedescendant', current.id);
  }

  /** Nothing is listed. */
  clear() {
    if (this.#hits.length === 0) return;
    this.#hits = [];
    this.#index = -1;
    this.#anchor = null;
    this.#drawn = [];
    this.rows.replaceChildren();
  }

  #rowHeight() {
    return Number.parseFloat(getComputedStyle(this.box).getPropertyValue('--hit-height')) || 24;
  }

  /**
   * The reader scrolled: what is at the upper edge now stays there.
   * @param {number} height
   */
  #remember(height) {
    const at = Math.min(this.#hits.length - 1, Math.max(0, Math.floor(this.box.scrollTop / height)));
    const hit = this.#hits[at];
    this.#anchor = hit === undefined ? null : { hit, below: at * height - this.box.scrollTop };
  }
}

/**
 * Where a hit is: its file and the number of its line, or else its byte.
 * @param {Hit} hit
 * @param {import('./i18n.js').Language} language
 */
export function placeOf({ file, line, byte }, language) {
  return line === null ? `${file} +${count(byte, language)}` : `${file}:${line}`;
}

/**
 * The part of a hit that shows its first match in so many columns.
 * @param {Hit} hit
 * @param {number} columns
 * @returns {{ text: string, marks: [number, number][] }}
 */
export function excerpt(hit, columns) {
  const { text, marks } = matchedState(hit);
  const [from, to] = marks[0] ?? [0, 0];
  if (to <= columns) return { text, marks };
  const cut = Math.max(1, Math.min(from, from - Math.floor(columns / 3)));
  // Not through the middle of a character.
  const start = (text.charCodeAt(cut) & 0xfc00) === 0xdc00 ? cut - 1 : cut;
  return { text: `…${text.slice(start)}`, marks: marks.map(([a, b]) => [a - start + 1, b - start + 1]) };
}

/**
 * Of a line that was written over, the state with the first match.
 * @param {Hit} hit
 * @returns {{ text: string, marks: [number, number][] }}
 */
function matchedState({ text, marks }) {
  if (!text.includes('\r') || marks.length === 0) return { text, marks };
  const { from, to } = stateOf(text, marks[0]);
  const within = marks.filter((mark) => mark[1] <= to);
  return { text: text.slice(from, to), marks: within.map(([a, b]) => [a - from, b - from]) };
}

/**
 * @param {Hit} hit
 * @param {number} at
 * @param {number} columns
 * @param {{ index: number, nearest: number }} which
 * @param {import('./row.js').Manner} manner
 */
function drawHit(hit, at, columns, { index, nearest }, manner) {
  const row = make('div', 'found-line');
  row.id = `hit-${at}`;
  row.role = 'option';
  row.dataset.index = String(at);
  row.ariaSelected = String(at === index);
  row.classList.toggle('nearest', index < 0 && at === nearest);
  const text = make('span', 'text');
  const place = placeOf(hit, manner.language);
  const shown = excerpt(hit, Math.max(20, columns - CUT - Math.max(0, place.length - PLACE)));
  text.append(...drawText(shown.text, PLAIN, shown.marks, manner));
  row.append(make('span', 'place', place), text);
  return row;
}
