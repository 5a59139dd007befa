/**
 * Keeps the filter that the reader has made and the one that the server applies the same.
 *
 * A filter is told to the server in a message, because only that is answered by a sentence if a pattern is bad; once it
 * holds, a new connection asks for it in its address. A filter that was refused is not tried again until it changes.
 *
 * Knows no DOM and no socket.
 */

import { NO_FILTER, patternsOf, samePatterns } from './filter.js';

/** How long somebody may stop typing before what was typed is tried. */
const DELAY = 300;

/**
 * @typedef {object} World
 * @property {() => { ready: boolean, applied: import('./wire.js').Patterns | null }} state whether the server can be
 *   told, and which filter holds
 * @property {() => Promise<Place | null>} place where the reader stands, if that is to be kept
 * @property {(filter: import('./wire.js').Patterns | null, cursor: string, place: Place | null) => void} apply
 * @property {() => void} changed
 * @property {(run: () => void, ms: number) => unknown} after
 */

/** A line, and how far below the upper edge it is seen. @typedef {{ cursor: string, below: number }} Place */

export class Filtering {
  /** @type {import('./filter.js').Filter} */
  filter = NO_FILTER;
  /** Why the server refused it. @type {import('./wire.js').Refusal | null} */
  refused = null;
  /** @type {import('./wire.js').Patterns | null | undefined} */
  #refused;
  #asking = false;
  /** Grows with each change. */
  #turn = 0;
  /** Whether something was typed a moment ago. */
  #typing = false;

  /**
   * @param {import('./requests.js').Requests} requests
   * @param {World} world
   */
  constructor(requests, world) {
    this.requests = requests;
    this.world = world;
  }

  /** Whether what is shown is not yet what was asked for. */
  get pending() {
    return !samePatterns(patternsOf(this.filter), this.world.state().applied) && this.refused === null;
  }

  /**
   * Another log, another filter: nothing of the old one is left.
   * @param {import('./filter.js').Filter} filter
   */
  begin(filter) {
    this.#turn += 1;
    this.#typing = false;
    this.filter = filter;
    this.refused = null;
    this.#refused = undefined;
    this.world.changed();
  }

  /**
   * @param {import('./filter.js').Filter} filter
   * @param {boolean} typing whether it may change again at once
   */
  set(filter, typing = false) {
    this.#turn += 1;
    const turn = this.#turn;
    this.filter = filter;
    this.#typing = typing;
    if (!samePatterns(patternsOf(filter), this.#refused ?? null)) this.refused = null;
    if (typing) {
      this.world.after(() => {
        if (turn !== this.#turn) return;
        this.#typing = false;
        this.apply();
      }, DELAY);
    }
    this.world.changed();
    this.apply();
  }

  /** Tells the server, if it has to be told. */
  async apply() {
    const wanted = patternsOf(this.filter);
    const { ready, applied } = this.world.state();
    if (!ready || this.#asking || this.#typing || samePatterns(wanted, applied)) return;
    if (this.#refused !== undefined && samePatterns(wanted, this.#refused)) return;
    this.#asking = true;
    const place = await this.world.place();
    const outcome = await this.requests.filter(wanted ?? {}, (cursor) => this.world.apply(wanted, cursor, place));
    this.#asking = false;
    this.#refused = outcome.kind === 'refused' ? wanted : undefined;
    const current = samePatterns(wanted, patternsOf(this.filter));
    this.refused = outcome.kind === 'refused' && current ? outcome.why : null;
    this.world.changed();
    if (!current) this.apply();
  }
}
