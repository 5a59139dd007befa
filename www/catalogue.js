/**
 * The list of logs, kept as the server has it: asked for as a whole now and then, and in between waited for what changes.
 */

import { readCatalogue } from './wire.js';

/** A server that has not answered by then is not there. */
const PATIENCE = 10_000;

/** How many seconds the server may wait for a change. */
const WAIT = 25;

/** The whole list is asked for so often, for sizes and viewers; and for each so many logs more as often again later. */
const WHOLE_EVERY = 4_000;
const FEW = 200;
const WHOLE_AT_LEAST_EVERY = 120_000;

/** @typedef {import('./wire.js').Catalogue} Catalogue */

export class CatalogueReader {
  #asking = false;
  /** What is known. @type {Catalogue | null} */
  #known = null;
  /** A question that waits for a change. @type {AbortController | null} */
  #waiting = null;
  #askedAt = 0;

  /**
   * @param {(event: Extract<import('./state.js').PageEvent, { type: 'listing' | 'unlisted' }>) => void} tell
   * @param {() => void} unknown the server does not know who asks
   * @param {() => boolean} waits whether to wait for changes: a browser has few connections for all pages of a server
   */
  constructor(tell, unknown, waits) {
    this.tell = tell;
    this.unknown = unknown;
    this.waits = waits;
  }

  /** The whole list. */
  async ask() {
    if (this.#asking) return;
    this.#asking = true;
    this.#askedAt = Date.now();
    await this.#get('api/logs', AbortSignal.timeout(PATIENCE));
    this.#asking = false;
    this.look();
  }

  /** Some time has passed, or whether to wait for changes has changed. */
  look() {
    const often = (WHOLE_EVERY * Math.max(FEW, this.#known?.logs.length ?? 0)) / FEW;
    const waits = this.waits();
    if (!waits) this.#waiting?.abort();
    else if (this.#waiting === null && !this.#asking && this.#known !== null && this.#known.version !== '')
      this.#wait();
    if (!document.hidden && Date.now() - this.#askedAt >= Math.min(often, WHOLE_AT_LEAST_EVERY)) this.ask();
  }

  async #wait() {
    const waiting = new AbortController();
    this.#waiting = waiting;
    const since = encodeURIComponent(this.#known?.version ?? '');
    const patience = AbortSignal.timeout(WAIT * 1000 + PATIENCE);
    const heard = await this.#get(
      `api/logs?since=${since}&wait=${WAIT}`,
      AbortSignal.any([patience, waiting.signal]),
      waiting.signal,
    );
    this.#waiting = null;
    // Otherwise it is asked again with the whole list.
    if (heard) this.look();
    else this.#known = null;
  }

  /**
   * @param {string} url
   * @param {AbortSignal} signal
   * @param {AbortSignal | null} given whether it was given up by ourselves
   * @returns {Promise<boolean>} whether there was an answer
   */
  async #get(url, signal, given = null) {
    try {
      const answer = await fetch(url, { cache: 'no-store', signal });
      if (answer.ok) {
        this.#known = merged(this.#known, readCatalogue(await answer.json()));
        this.tell({ type: 'listing', catalogue: this.#known });
      } else this.tell({ type: 'unlisted', refused: answer.status === 401 || answer.status === 403 });
      if (answer.status === 401) this.unknown();
      return answer.ok;
    } catch {
      if (given?.aborted !== true) this.tell({ type: 'unlisted', refused: false });
      return given?.aborted === true;
    }
  }
}

/**
 * A list and what has changed in it; an answer that is the whole list stands for itself. Changes that come late, behind a
 * whole list, are undone by the next ones: those since their own version.
 * @param {Catalogue | null} known
 * @param {Catalogue} heard
 * @returns {Catalogue}
 */
export function merged(known, heard) {
  if (heard.since === '' || known === null) return heard;
  const removed = new Set(heard.removed);
  const changed = new Map(heard.logs.map((log) => [log.name, log]));
  const logs = known.logs.filter(({ name }) => !removed.has(name)).map((log) => changed.get(log.name) ?? log);
  const names = new Set(logs.map(({ name }) => name));
  for (const log of heard.logs) if (!names.has(log.name)) logs.splice(placeOf(log, logs), 0, log);
  return { ...heard, logs };
}

/**
 * Where a new log belongs: in its group, by its name.
 * @param {import('./wire.js').Log} log
 * @param {import('./wire.js').Log[]} logs
 */
function placeOf(log, logs) {
  const behind = logs.findIndex(({ group, name }) => group === log.group && name > log.name);
  if (behind >= 0) return behind;
  const last = logs.findLastIndex(({ group }) => group === log.group);
  return last < 0 ? logs.length : last + 1;
}
