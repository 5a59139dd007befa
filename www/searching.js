/**
 * A search through all of a log's history: what is looked for, how far it has come, what was found.
 *
 * The server gives the nearest hits first; they are kept in the log's order, so that the next one is the next one.
 * Knows no DOM and no socket.
 */

import { meaning } from './filter.js';

/** So many hits are listed; the server counts the rest. */
const MOST = 1000;

/** A match longer than this is not looked for in a row's text. */
const LONGEST = 4096;

/**
 * @typedef {object} Found
 * @property {'idle' | 'running' | 'done' | 'cancelled' | 'lost' | 'refused'} phase
 * @property {string} text what is looked for
 * @property {string} what the server does: `searching`, `unpacking`, `counting`
 * @property {number} share how much of that is done, 0 to 1
 * @property {number} count lines found
 * @property {boolean} more whether some were only counted
 * @property {number[]} map how many in each part of the history
 * @property {readonly import('./wire.js').Hit[]} hits those that are listed, in the log's order
 * @property {number} index which of them one is at; -1 for none
 * @property {number} nearest which of them lies nearest to where the search began; -1 for none
 * @property {string} note that it could not begin where it should; empty if it did
 * @property {import('./wire.js').Refusal | null} refusal why the server refused
 */

/** @type {Readonly<Found>} */
export const NOTHING = Object.freeze({
  phase: 'idle',
  text: '',
  what: 'searching',
  share: 0,
  count: 0,
  more: false,
  map: [],
  hits: [],
  index: -1,
  nearest: -1,
  note: '',
  refusal: null,
});

export class Searching {
  /** @type {Found} */
  found = NOTHING;
  /** By a line's text: where it matched. @type {Map<string, [number, number][]>} */
  #marks = new Map();
  /** The hits as they were told. @type {import('./wire.js').Hit[]} */
  #told = [];
  /** Grows with each search: what the last one still says is not for this one. */
  turn = 0;

  /**
   * @param {import('./requests.js').Requests} requests
   * @param {() => void} changed
   */
  constructor(requests, changed) {
    this.requests = requests;
    this.changed = changed;
  }

  /**
   * @param {string} text
   * @param {import('./filter.js').Manner} manner
   * @param {string | null} from the cursor to begin at
   */
  async start(text, manner, from) {
    this.clear();
    if (text === '') return;
    const turn = this.turn;
    this.#set({ phase: 'running', text });
    const outcome = await this.requests.ask(
      'search',
      (id) => ({
        search: { id, grep: [text], not: [], ...meaning(manner), ...(from === null ? {} : { from }), most: MOST },
      }),
      (part) => {
        if (turn !== this.turn) return;
        if (part.kind === 'hits') this.#add(part.hits);
        if (part.kind === 'numbers') this.#number(part.lines);
        if (part.kind === 'progress') this.#progress(part);
      },
    );
    if (turn !== this.turn) return;
    switch (outcome.kind) {
      case 'done':
        this.#set({
          phase: 'done',
          share: 1,
          count: outcome.count ?? this.found.count,
          more: outcome.more,
          note: outcome.note,
        });
        break;
      case 'refused':
        this.#set({ phase: 'refused', refusal: outcome.why });
        break;
      default:
        this.#set({ phase: outcome.kind });
    }
  }

  cancel() {
    this.requests.cancel('search');
  }

  /** Forgets what was found, and stops looking. */
  clear() {
    this.turn += 1;
    if (this.found.phase === 'running') this.requests.cancel('search');
    this.#marks.clear();
    this.#told = [];
    this.#set(NOTHING);
  }

  /**
   * Goes to the next hit, or the one before; to the nearest one first. Round the ends.
   * @param {1 | -1} way
   * @returns {import('./wire.js').Hit | null}
   */
  step(way) {
    const { hits, index, nearest } = this.found;
    if (hits.length === 0) return null;
    return this.choose(index < 0 ? nearest : (index + way + hits.length) % hits.length);
  }

  /**
   * @param {number} index
   * @returns {import('./wire.js').Hit | null}
   */
  choose(index) {
    const hit = this.found.hits[index] ?? null;
    if (hit !== null) this.#set({ index });
    return hit;
  }

  /**
   * Where a line matches, as far as that is known.
   * @param {string} text
   */
  marksIn(text) {
    const known = text.length > LONGEST ? undefined : this.#marks.get(text);
    // Of a long line, a hit has only the beginning.
    const current = this.found.hits[this.found.index];
    const begins = current !== undefined && current.marks.length > 0 && text.startsWith(current.text);
    return known ?? (begins ? current.marks : undefined);
  }

  /** @param {import('./wire.js').Hit[]} more */
  #add(more) {
    const { hits, index, nearest } = this.found;
    const current = hits[index] ?? null;
    const near = hits[nearest] ?? more[0] ?? null;
    for (const hit of more) this.#marks.set(hit.text, hit.marks);
    this.#told.push(...more);
    const all = [...hits, ...more].sort((a, b) => a.at - b.at || a.byte - b.byte);
    this.#set({
      hits: all,
      index: current === null ? -1 : all.indexOf(current),
      nearest: near === null ? -1 : all.indexOf(near),
      count: Math.max(this.found.count, all.length),
    });
  }

  /**
   * The lines have been counted.
   * @param {[number, number][]} lines which hit of those that were told, and the number of its line
   */
  #number(lines) {
    for (const [which, line] of lines) {
      const hit = this.#told[which];
      if (hit !== undefined) hit.line = line;
    }
    this.#set({ hits: [...this.found.hits] });
  }

  /** @param {import('./wire.js').Progress} progress */
  #progress({ what, done, total, count, map }) {
    const share = total === 0 ? 0 : Math.min(1, done / total);
    this.#set({ what, share, count: count ?? this.found.count, map: map.length === 0 ? this.found.map : map });
  }

  /** @param {Partial<Found>} some */
  #set(some) {
    this.found = { ...this.found, ...some };
    this.changed();
  }
}
