/**
 * Asks for the list of logs, one question at a time.
 */

import { readCatalogue } from './wire.js';

/** A server that has not answered by then is not there. */
const PATIENCE = 10_000;

export class CatalogueReader {
  #asking = false;

  /**
   * @param {(event: Extract<import('./state.js').PageEvent, { type: 'listing' | 'unlisted' }>) => void} tell
   */
  constructor(tell) {
    this.tell = tell;
  }

  async ask() {
    if (this.#asking) return;
    this.#asking = true;
    try {
      const answer = await fetch('api/logs', { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE) });
      if (answer.ok) this.tell({ type: 'listing', catalogue: readCatalogue(await answer.json()) });
      else this.tell({ type: 'unlisted', refused: answer.status === 401 || answer.status === 403 });
    } catch {
      this.tell({ type: 'unlisted', refused: false });
    } finally {
      this.#asking = false;
    }
  }
}
