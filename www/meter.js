/**
 * How fast lines come: those of the last few seconds, per second. Knows no clock; times are handed in.
 */

const SPAN = 3_000;

export class Meter {
  /** @type {{ at: number, lines: number }[]} */
  #counts = [];

  /**
   * @param {number} lines
   * @param {number} now milliseconds
   */
  add(lines, now) {
    const last = this.#counts.at(-1);
    // One entry per tenth of a second: the list stays short however many messages come.
    if (last !== undefined && now - last.at < 100) last.lines += lines;
    else this.#counts.push({ at: now, lines });
  }

  /**
   * Lines per second.
   * @param {number} now milliseconds
   */
  rate(now) {
    this.#counts = this.#counts.filter((count) => now - count.at < SPAN);
    return (this.#counts.reduce((sum, count) => sum + count.lines, 0) * 1000) / SPAN;
  }

  /** Forgets what it counted: another log is looked at. */
  reset() {
    this.#counts = [];
  }
}
