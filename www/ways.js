/**
 * By which way the stream comes: by WebSocket, and where none gets through by server-sent events, and where those are
 * held back by long polls.
 *
 * That a WebSocket fails says little: the server may be away. Two that fail although the server answered in between are
 * blocked. The other ways have one chance each; then it is begun at the top again.
 *
 * Knows no connection and no clock.
 */

/** @typedef {'websocket' | 'events' | 'polls'} Way */

/** After so long a WebSocket is tried again, and then after twice as long each time, up to a bound. */
const FIRST_TRIAL = 30_000;
const LAST_TRIAL = 600_000;

export class Ways {
  /** @type {Way} */
  way = 'websocket';
  /** @type {'untried' | 'failed' | 'suspect'} */
  #websocket = 'untried';
  #trials = 0;

  /** The server has spoken. */
  spoke() {
    if (this.way === 'websocket') this.begin();
  }

  /** The server answers plain HTTP, and has this log. */
  reached() {
    if (this.#websocket === 'failed') this.#websocket = 'suspect';
  }

  /** An attempt has ended before the server spoke. */
  failed() {
    if (this.way === 'events') this.way = 'polls';
    else if (this.way === 'polls') this.begin();
    else if (this.#websocket === 'suspect') this.way = 'events';
    else this.#websocket = 'failed';
  }

  /** From the top. */
  begin() {
    this.way = 'websocket';
    this.#websocket = 'untried';
    this.#trials = 0;
  }

  /** How many milliseconds until a WebSocket is to be tried again. */
  untilTrial() {
    this.#trials += 1;
    return Math.min(LAST_TRIAL, FIRST_TRIAL * 2 ** (this.#trials - 1));
  }
}
