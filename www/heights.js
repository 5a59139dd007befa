/**
 * The heights of the rows in a window: which row lies at which height, and how high everything is.
 *
 * Rows come and leave at both ends; their ids may be negative. Sums are kept per block of rows, so that a question looks
 * at some hundred numbers, whatever the number of rows.
 *
 * Knows no DOM: the heights are estimates until `list.js` has measured a row and said so.
 */

const BLOCK = 256;

export class Heights {
  /** @type {{ sum: number, rows: Float64Array }[]} */
  #blocks = [];
  #firstBlock = 0;

  constructor() {
    this.first = 0;
    this.end = 0;
    this.total = 0;
  }

  /**
   * Forgets all rows; the next one is `first`.
   * @param {number} first
   */
  reset(first) {
    this.#blocks = [];
    this.#firstBlock = Math.floor(first / BLOCK);
    this.first = first;
    this.end = first;
    this.total = 0;
  }

  /** @param {number} height of the row `end` */
  push(height) {
    const at = Math.floor(this.end / BLOCK) - this.#firstBlock;
    if (at === this.#blocks.length) this.#blocks.push({ sum: 0, rows: new Float64Array(BLOCK) });
    this.end += 1;
    this.set(this.end - 1, height);
  }

  /** @param {number} height of the row before `first` */
  unshift(height) {
    const at = Math.floor((this.first - 1) / BLOCK) - this.#firstBlock;
    if (at < 0 || this.#blocks.length === 0) {
      this.#blocks.unshift({ sum: 0, rows: new Float64Array(BLOCK) });
      this.#firstBlock += at;
    }
    this.first -= 1;
    this.set(this.first, height);
  }

  /**
   * @param {number} id
   * @returns {number}
   */
  of(id) {
    return this.#block(id).rows[within(id)];
  }

  /**
   * @param {number} id
   * @param {number} height
   */
  set(id, height) {
    const block = this.#block(id);
    const more = height - block.rows[within(id)];
    block.rows[within(id)] = height;
    block.sum += more;
    this.total += more;
  }

  /**
   * Lets go of every row before `id`.
   * @param {number} id
   */
  dropBefore(id) {
    while (this.first < Math.min(id, this.end)) {
      const next = (Math.floor(this.first / BLOCK) + 1) * BLOCK;
      if (within(this.first) === 0 && next <= id && next <= this.end) {
        this.total -= /** @type {{ sum: number }} */ (this.#blocks.shift()).sum;
        this.#firstBlock += 1;
        this.first = next;
      } else {
        this.set(this.first, 0);
        this.first += 1;
        if (this.first === next) {
          this.#blocks.shift();
          this.#firstBlock += 1;
        }
      }
    }
  }

  /**
   * Lets go of every row from `id` on.
   * @param {number} id
   */
  dropFrom(id) {
    while (this.end > Math.max(id, this.first)) {
      this.set(this.end - 1, 0);
      this.end -= 1;
      if (within(this.end) === 0) this.#blocks.pop();
    }
  }

  /**
   * How far the top of row `id` lies below the top of the first.
   * @param {number} id up to and including `end`
   */
  top(id) {
    const block = Math.floor(id / BLOCK) - this.#firstBlock;
    let sum = 0;
    for (let i = 0; i < block; i += 1) sum += this.#blocks[i].sum;
    for (let i = 0; i < within(id) && block < this.#blocks.length; i += 1) sum += this.#blocks[block].rows[i];
    return sum;
  }

  /**
   * The row that covers height `y`; the first or last one if `y` lies outside.
   * @param {number} y
   */
  at(y) {
    let sum = 0;
    let block = 0;
    while (block < this.#blocks.length - 1 && sum + this.#blocks[block].sum <= y) {
      sum += this.#blocks[block].sum;
      block += 1;
    }
    const base = (this.#firstBlock + block) * BLOCK;
    let id = Math.max(base, this.first);
    const last = Math.min(base + BLOCK, this.end) - 1;
    while (id < last && sum + this.of(id) <= y) {
      sum += this.of(id);
      id += 1;
    }
    return id;
  }

  /** @param {number} id */
  #block(id) {
    return this.#blocks[Math.floor(id / BLOCK) - this.#firstBlock];
  }
}

/**
 * Where in its block row `id` is.
 * @param {number} id
 */
function within(id) {
  return id - Math.floor(id / BLOCK) * BLOCK;
}
