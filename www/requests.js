/**
 * What the page asks the server for, and how the answers find whoever asked.
 *
 * The server works on one search and on one other request at a time; a new one takes the place of the old. A connection
 * that is lost takes all requests with it. So every request ends, one way or another, and nobody waits for ever.
 *
 * Knows no socket, no text and no rows.
 */

/**
 * How a request ended.
 * @typedef {{ kind: 'done', more: boolean, count: number | null, note: string } | { kind: 'cancelled' } | { kind: 'lost' }
 *   | { kind: 'refused', why: import('./wire.js').Refusal }} Outcome `note` says that the place it was given is lost
 */

/** @typedef {Extract<import('./wire.js').Message, { kind: 'older' | 'newer' | 'place' | 'hits' | 'numbers' | 'progress' }>} Part */

/**
 * @typedef {object} Request
 * @property {number} id
 * @property {(part: Part) => void} each
 * @property {(outcome: Outcome) => void} end
 */

export class Requests {
  #last = 0;
  /** @type {{ search: Request | null, other: Request | null }} */
  #out = { search: null, other: null };
  /** The last search, once it is done: the numbers of its lines may still come. @type {Request | null} */
  #searched = null;
  /** @type {((outcome: Outcome, cursor: string) => void) | null} */
  #filter = null;

  /** @param {(ask: import('./wire.js').Ask) => boolean} say whether there is anybody to hear it */
  constructor(say) {
    this.say = say;
  }

  /** Whether a request that is not a search is on its way. */
  get busy() {
    return this.#out.other !== null;
  }

  /**
   * @param {'search' | 'other'} kind
   * @param {(id: number) => import('./wire.js').Ask} ask
   * @param {(part: Part) => void} each called with every part of the answer
   * @returns {Promise<Outcome>}
   */
  ask(kind, ask, each) {
    this.#end(this.#out[kind], { kind: 'cancelled' });
    if (kind === 'search') this.#searched = null;
    this.#last += 1;
    const id = this.#last;
    return new Promise((end) => {
      const request = { id, each, end };
      this.#out[kind] = request;
      if (!this.say(ask(id))) this.#end(request, { kind: 'lost' });
    });
  }

  /**
   * Sets a filter. A filter has no number; its answers come in order.
   * @param {import('./wire.js').Patterns | {}} patterns
   * @param {(cursor: string) => void} then called at once when it holds, before anything that is filtered comes
   * @returns {Promise<Outcome>}
   */
  filter(patterns, then) {
    this.#filter?.({ kind: 'cancelled' }, '');
    return new Promise((end) => {
      this.#filter = (outcome, cursor) => {
        if (outcome.kind === 'done') then(cursor);
        end(outcome);
      };
      if (!this.say({ filter: patterns })) this.#endFilter({ kind: 'lost' }, '');
    });
  }

  /** @param {'search' | 'other'} kind */
  cancel(kind) {
    const request = this.#out[kind];
    if (request !== null) this.say({ cancel: { id: request.id } });
    this.#end(request, { kind: 'cancelled' });
  }

  /**
   * @param {import('./wire.js').Message} message
   * @returns {boolean} whether it was an answer
   */
  hear(message) {
    switch (message.kind) {
      case 'older':
      case 'newer':
      case 'place':
      case 'hits':
        this.#find(message.id)?.each(message);
        return true;
      case 'numbers': {
        const searched = this.#searched?.id === message.id ? this.#searched : null;
        (this.#find(message.id) ?? searched)?.each(message);
        return true;
      }
      case 'progress':
        this.#find(message.id)?.each(message);
        return message.id !== null;
      case 'done': {
        const { more, count, cancelled, note } = message;
        this.#end(this.#find(message.id), cancelled ? { kind: 'cancelled' } : { kind: 'done', more, count, note });
        return true;
      }
      case 'filtered':
        this.#endFilter({ kind: 'done', more: false, count: null, note: '' }, message.cursor);
        return true;
      case 'error': {
        const { code, message: sentence } = message;
        const refused = /** @type {const} */ ({ kind: 'refused', why: { code, message: sentence } });
        if (message.id === null) return this.#refuse(refused);
        this.#end(this.#find(message.id), refused);
        return true;
      }
      default:
        return false;
    }
  }

  /** The connection is lost. */
  lose() {
    this.#end(this.#out.search, { kind: 'lost' });
    this.#end(this.#out.other, { kind: 'lost' });
    this.#endFilter({ kind: 'lost' }, '');
  }

  /**
   * An error that names no request: it is about a filter, or the server does not know what it was asked.
   * @param {Outcome} refused
   */
  #refuse(refused) {
    if (this.#endFilter(refused, '')) return true;
    const request = this.#out.other ?? this.#out.search;
    this.#end(request, refused);
    return request !== null;
  }

  /** @param {number | null} id */
  #find(id) {
    const { search, other } = this.#out;
    return [search, other].find((request) => request?.id === id) ?? null;
  }

  /**
   * @param {Request | null} request
   * @param {Outcome} outcome
   */
  #end(request, outcome) {
    if (request === null) return;
    if (this.#out.search === request) {
      this.#out.search = null;
      this.#searched = request;
    }
    if (this.#out.other === request) this.#out.other = null;
    request.end(outcome);
  }

  /**
   * @param {Outcome} outcome
   * @param {string} cursor
   */
  #endFilter(outcome, cursor) {
    const filter = this.#filter;
    this.#filter = null;
    filter?.(outcome, cursor);
    return filter !== null;
  }
}
