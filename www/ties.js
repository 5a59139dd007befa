/**
 * Which row of a window stands at which cursor, at the places where the server said so: one for each message at most.
 *
 * Knows neither rows nor text; ids grow along the window.
 */

/**
 * @typedef {object} Tie
 * @property {number} id of the row that begins at the cursor
 * @property {string} cursor
 * @property {boolean} within the cursor lies somewhere in that line, which began before it
 */

export class Ties {
  /** @type {Tie[]} */
  #ties = [];

  /** @returns {Tie | null} */
  get first() {
    return this.#ties[0] ?? null;
  }

  /**
   * The last one at row `id` or before it.
   * @param {number} id
   * @returns {Tie | null}
   */
  upTo(id) {
    const at = this.#after(id);
    return at === 0 ? null : this.#ties[at - 1];
  }

  /**
   * The first one that lies behind the beginning of row `id`.
   * @param {number} id
   * @returns {Tie | null}
   */
  behind(id) {
    const same = this.upTo(id);
    return same?.id === id && same.within ? same : (this.#ties[this.#after(id)] ?? null);
  }

  /**
   * Adds one behind all others. For a row that has one already it is left out.
   * @param {Tie} tie
   */
  push(tie) {
    if (this.#ties.at(-1)?.id !== tie.id) this.#ties.push(tie);
  }

  /**
   * Adds one before all others. For a row that has one already it takes that one's place.
   * @param {Tie} tie
   */
  unshift(tie) {
    if (this.first?.id === tie.id) this.#ties.shift();
    this.#ties.unshift(tie);
  }

  newestFirst() {
    return [...this.#ties].reverse();
  }

  /**
   * Forgets those behind the beginning of row `id`.
   * @param {number} id
   */
  dropBehind(id) {
    this.#ties.splice(this.#after(id));
  }

  /**
   * Forgets those of rows before `id`.
   * @param {number} id
   */
  dropBefore(id) {
    const at = this.#ties.findIndex((tie) => tie.id >= id);
    if (at !== 0) this.#ties.splice(0, at < 0 ? this.#ties.length : at);
  }

  /**
   * How many lie at row `id` or before it.
   * @param {number} id
   */
  #after(id) {
    let [low, high] = [0, this.#ties.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#ties[middle].id <= id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
