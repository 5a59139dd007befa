/**
 * Reading on at either end of the window, and going elsewhere in the log.
 *
 * The window stands somewhere in the log's history. While its end is the stream's it grows by itself; as soon as it is
 * not (rows were let go there, or the reader went elsewhere) the page is *in the past*: the stream is held, what lies
 * behind is asked for like what lies before, and when the log's end is reached the stream goes on from there.
 *
 * Decides what to ask for; knows no socket, no DOM and no pixels but as a measure of how much there is left to read.
 */

/** Lines asked for at a time, if the window has room for four times as many. */
const PAGE = 500;

/** A server gives no more lines than this at a time (docs/protocol.md). */
const MOST = 10_000;

/** So much of a window's room one request may fill: lines may be long. */
const SHARE = 1 / 8;

/** With less than so many screens left to read in a direction, more is asked for. */
const SCREENS = 2;

/** A number that was asked for in vain again and again is asked for again after so many rests. */
const MOST_RESTS = 8;

/**
 * @typedef {object} Listener
 * @property {() => void} detach the window's end is not the stream's any more
 * @property {(cursor: string) => void} attach the window's end is the log's: the stream goes on there
 * @property {(id: number, goal: Goal) => void} show
 * @property {(why: import('./wire.js').Refusal | null) => void} fail one cannot go there; `null`: the place is not in the log any more
 * @property {() => void} hidden the line that was looked for is not shown
 * @property {() => void} changed
 */

/**
 * Where a row shall be seen that one goes to: so far below the upper edge, in pixels, or a third down. A row that was
 * looked for is made out from the others; `text` is what must be in it, if that is known.
 * @typedef {{ below: number | null, found: boolean, text?: string }} Goal
 */

/**
 * What came of looking for a place, and of going there. `gone`: it is not in the log any more.
 * @typedef {{ kind: 'refused', why: import('./wire.js').Refusal } | { kind: 'gone' } | { kind: 'unanswered' }} Failure
 * @typedef {{ kind: 'at', place: import('./wire.js').Place } | Failure} Sought
 * @typedef {{ kind: 'there' } | Failure} Arrival
 */

/** @typedef {Extract<import('./wire.js').Message, { kind: 'older' | 'newer' }>} Stretch */

export class Reader {
  /** @type {'older' | 'newer' | null} */
  #reading = null;
  /** Nothing came although there is more: asked again after a rest. */
  #tired = false;
  /** Why the server does not give what lies here; then it is not asked again.
   * @type {import('./wire.js').Refusal | null} */
  refused = null;
  /** What the server does meanwhile, and how much of it is done. @type {{ what: string, share: number } | null} */
  progress = null;
  /** The number of a line was not known: asked again after a rest. */
  #uncounted = false;
  /** So often in a row it was asked for in vain, and so many rests more are waited: a server need not keep what it counts. */
  #vain = 0;
  #rest = 0;
  /** Whether the newest file's lines were counted for want of a number. @type {'no' | 'counting' | 'yes'} */
  #counted = 'no';
  /** The row that is the first there is. @type {number | null} */
  #start = null;
  /** How much text the request has brought. */
  #units = 0;

  /**
   * @param {import('./lines.js').LineWindow} lines
   * @param {import('./requests.js').Requests} requests
   * @param {Listener} listener
   */
  constructor(lines, requests, listener) {
    this.lines = lines;
    this.requests = requests;
    this.listener = listener;
    this.page = Math.max(1, Math.min(PAGE, Math.floor(lines.limits.rows / 4)));
    /** Whether every line is shown, so that they can be counted. */
    this.counts = true;
  }

  /** Whether the first row held is the first there is. */
  get atStart() {
    return this.#start === this.lines.first;
  }

  /** What is known of what lies before the first row held. */
  get above() {
    if (this.atStart) return 'start';
    if (this.refused !== null) return 'refused';
    return this.#reading === 'older' ? 'loading' : 'more';
  }

  /** Everything was forgotten; reading begins anew. */
  begin() {
    if (this.#counted === 'yes') this.#counted = 'no';
    this.#start = null;
    this.refused = null;
    this.#vain = 0;
    this.#rest = 0;
    this.refresh();
  }

  /** Some time has passed. */
  refresh() {
    this.#tired = false;
    if (this.#rest > 0) this.#rest -= 1;
    else this.#uncounted = false;
  }

  /**
   * Reads on where there is little left.
   * @param {{ above: number, below: number, height: number }} room in pixels: what is hidden, and what is seen
   * @param {boolean} past
   * @param {number | null} counted the row whose line's number shall be seen
   */
  reach({ above, below, height }, past, counted) {
    // Counting gives way, and goes on later where it was.
    const busy = this.requests.busy && this.#counted !== 'counting';
    if (busy || this.#tired || this.refused !== null) return;
    const front = this.lines.front;
    if (!this.atStart && front !== null && above < SCREENS * height) this.#readOlder(front);
    else if (past && this.lines.back !== null && below < SCREENS * height) this.#readNewer(this.lines.back);
    else if (counted !== null && this.counts && !this.#uncounted && !this.requests.busy) this.#count(counted);
  }

  /**
   * Goes to a place as people say it.
   * @param {import('./wire.js').Goal} to
   * @returns {Promise<Arrival>}
   */
  async goTo(to) {
    return this.arrive(await this.find(to));
  }

  /**
   * Goes to a place that was looked for.
   * @param {Sought} sought
   * @returns {Promise<Arrival>}
   */
  async arrive(sought) {
    if (sought.kind !== 'at') return sought;
    const { cursor, line } = sought.place;
    return { kind: (await this.land(cursor, { below: null, found: true }, line)) ? 'there' : 'unanswered' };
  }

  /**
   * Looks for a place as people say it.
   * @param {import('./wire.js').Goal} to
   * @returns {Promise<Sought>}
   */
  async find(to) {
    /** @type {import('./wire.js').Place | null} */
    let place = null;
    const outcome = await this.#ask(
      (id) => ({ seek: { id, to } }),
      (part) => {
        if (part.kind === 'place') place = part;
      },
    );
    if (outcome.kind === 'refused') return outcome;
    const found = /** @type {import('./wire.js').Place | null} */ (place);
    if (outcome.kind !== 'done') return { kind: 'unanswered' };
    if (found === null) return { kind: outcome.note === '' ? 'unanswered' : 'gone' };
    return { kind: 'at', place: found };
  }

  /**
   * Shows the log from `cursor` on. What was shown stays until there is something to be shown instead.
   * @param {string} cursor
   * @param {Goal} goal where its first line shall be seen
   * @param {number | null} number of that line
   * @returns {Promise<boolean>} whether it came to that
   */
  async land(cursor, goal, number) {
    let landed = false;
    let gone = false;
    const arrive = () => {
      if (landed) return;
      landed = true;
      this.lines.clear(cursor);
      this.begin();
      this.listener.detach();
    };
    let epoch = -1;
    const outcome = await this.#ask(
      (id) => ({ newer: { id, after: cursor, lines: this.page } }),
      (part) => {
        if (part.kind !== 'newer') return;
        const first = !landed;
        // A place that nobody knows any more. What is shown may lie behind it; a page that shows nothing learns nothing.
        if (first && part.gap === 'unknown' && this.lines.back === null) gone = true;
        if (gone) return;
        arrive();
        if (first) epoch = this.lines.epoch;
        if (this.lines.epoch !== epoch) return;
        this.#takeNewer(part);
        if (first) this.#landed(goal, number);
      },
    );
    if (outcome.kind === 'refused') this.listener.fail(outcome.why);
    if (gone) this.listener.fail(null);
    if (outcome.kind !== 'done' || gone) return landed;
    arrive();
    this.#behindEnded(outcome);
    return true;
  }

  /**
   * The cursor of the line at row `id`.
   * @param {number} id
   * @returns {Promise<string | null>}
   */
  async locate(id) {
    const way = this.lines.way(id);
    if (way === null) return null;
    let cursor = null;
    const outcome = await this.#ask(
      (id) => ({ older: { id, ...way } }),
      (part) => {
        if (part.kind === 'older') cursor = part.from;
      },
    );
    return outcome.kind === 'done' ? cursor : null;
  }

  /**
   * Finds out the number of a line, if it is not known; has the newest file's lines counted, if the server has not.
   * @param {number} id
   */
  async #count(id) {
    const row = this.lines.row(id);
    if (row?.kind !== 'line' || this.lines.numberOf(row) !== null) return;
    const near = this.lines.lineNear(id);
    this.#uncounted = true;
    if (near === null) return;
    const epoch = this.lines.epoch;
    let known = false;
    const outcome = await this.#ask(
      (id) => ({ seek: { id, to: { cursor: near.cursor } } }),
      (part) => {
        if (part.kind !== 'place' || part.line === null || !part.exact || this.lines.epoch !== epoch) return;
        known = true;
        this.lines.learn(near.id, part.line);
        this.#uncounted = false;
        this.listener.changed();
      },
    );
    this.#rest = known ? 0 : Math.min(MOST_RESTS, this.#vain);
    this.#vain = known ? 0 : this.#vain + 1;
    if (known || outcome.kind !== 'done' || this.requests.busy || this.#counted !== 'no') return;
    this.#counted = 'counting';
    const line = Number.MAX_SAFE_INTEGER;
    const counted = await this.#ask(
      (id) => ({ seek: { id, to: { line } } }),
      () => {},
    );
    this.#counted = counted.kind === 'done' || counted.kind === 'refused' ? 'yes' : 'no';
  }

  /** @param {{ cursor: string, again: number }} front */
  async #readOlder({ cursor, again }) {
    const epoch = this.lines.epoch;
    let came = false;
    this.#reading = 'older';
    this.listener.changed();
    const outcome = await this.#ask(
      (id) => ({ older: { id, before: cursor, lines: Math.min(MOST, this.page + again) } }),
      (part) => {
        if (part.kind !== 'older' || this.lines.epoch !== epoch) return;
        came = true;
        this.#takeOlder(part);
      },
    );
    this.#reading = null;
    if (this.lines.epoch !== epoch) return;
    if (outcome.kind === 'done') {
      this.#start = outcome.more ? null : this.lines.first;
      this.#tired = outcome.more && !came;
      if (this.atStart && this.counts) this.lines.learn(this.lines.lineFrom(this.lines.first), 1);
    }
    this.#ended(outcome);
  }

  /** @param {string} cursor */
  async #readNewer(cursor) {
    const epoch = this.lines.epoch;
    this.#reading = 'newer';
    const outcome = await this.#ask(
      (id) => ({ newer: { id, after: cursor, lines: this.page } }),
      (part) => {
        if (part.kind === 'newer' && this.lines.epoch === epoch) this.#takeNewer(part);
      },
    );
    this.#reading = null;
    if (this.lines.epoch !== epoch) return;
    this.#behindEnded(outcome);
  }

  /** @param {import('./requests.js').Outcome} outcome */
  #behindEnded(outcome) {
    if (outcome.kind === 'done' && !outcome.more && this.lines.back !== null) this.listener.attach(this.lines.back);
    this.#ended(outcome);
  }

  /** @param {import('./requests.js').Outcome} outcome */
  #ended(outcome) {
    if (outcome.kind === 'refused') this.refused = outcome.why;
    this.listener.changed();
  }

  /**
   * @param {(id: number) => import('./wire.js').Ask} ask
   * @param {(part: import('./requests.js').Part) => void} each
   */
  async #ask(ask, each) {
    this.#units = 0;
    const outcome = await this.requests.ask('other', ask, (part) => {
      if (part.kind !== 'progress') return each(part);
      this.progress = { what: part.what, share: part.total === 0 ? 0 : Math.min(1, part.done / part.total) };
      this.listener.changed();
    });
    if (!this.requests.busy) this.progress = null;
    return outcome;
  }

  /** @param {Stretch} part */
  #takeOlder({ text, from, begins, gap, bytes }) {
    const { lines } = this;
    if (gap !== null) lines.prependMark({ kind: 'gap', bytes, why: gap }, from);
    else if (text !== '') lines.prepend(text, from);
    if (begins !== null) {
      lines.prependMark({ kind: begins }, from);
      if (this.counts) lines.learn(lines.lineFrom(lines.first), 1);
    }
    if (lines.trimEnd()) this.listener.detach();
    this.#took(text);
  }

  /** @param {Stretch} part */
  #takeNewer({ text, to, begins, gap, bytes }) {
    const { lines } = this;
    const id = lines.end;
    if (begins !== null) lines.mark({ kind: begins }, lines.back);
    if (gap === null) lines.append(text, to);
    else lines.mark({ kind: 'gap', bytes, why: gap }, to);
    if (begins !== null && this.counts) lines.learn(lines.lineFrom(id), 1);
    lines.trim();
    this.#took(text);
  }

  /**
   * Leaves it at that when a request has brought enough: what one goes to must not be let go for what lies around it.
   * @param {string} text
   */
  #took(text) {
    this.#units += text.length;
    if (this.#units > this.lines.limits.units * SHARE) this.requests.cancel('other');
    this.listener.changed();
  }

  /**
   * @param {Goal} goal
   * @param {number | null} number
   */
  #landed(goal, number) {
    const id = this.lines.lineFrom(this.lines.first);
    if (number !== null && this.counts) this.lines.learn(id, number);
    // Under a filter, the first line there is from the goal on may be another.
    const row = this.lines.row(id);
    const shown =
      this.counts || goal.text === undefined || (row?.kind === 'line' && row.text.includes(goal.text.trimEnd()));
    this.listener.show(id, { ...goal, found: goal.found && shown });
    if (!shown) this.listener.hidden();
  }
}
