/**
 * What the page knows, and how it changes.
 *
 * `next` is the only way from one state to another; what follows from a state (`status`, `wish`) is derived, never
 * stored. The text itself is not in here but in `lines.js`; the state only knows how much room is left there.
 *
 * Knows no DOM, no socket and no clock: times come with the events.
 */

import { POLICY } from './backoff.js';
import { cursorAfter, offsetIn } from './wire.js';

/**
 * The connection as the socket reports it. `open` begins with the server's `hello`.
 * @typedef {{ kind: 'closed' } | { kind: 'connecting' } | { kind: 'open' } | { kind: 'ended' }
 *   | { kind: 'waiting', until: number, code: number, reason: string }} Link
 */

/**
 * `full`: what is held has reached its bounds; `overfull`: and so has what may come while a `pause` is on its way.
 * @typedef {'plenty' | 'full' | 'overfull'} Room
 */

/**
 * @typedef {object} Listing
 * @property {'loading' | 'known' | 'unreachable' | 'refused'} kind
 * @property {import('./wire.js').Log[]} logs
 * @property {string} version
 * @property {string} server
 * @property {boolean} demo
 * @property {string} user who asks, where there are users
 */

/**
 * @typedef {object} State
 * @property {string | null} log the log looked at
 * @property {number} reading grows whenever reading begins anew
 * @property {number} session grows with each new stream, also one that goes on where the page had come by other ways
 * @property {boolean} running whether the reader wants the stream
 * @property {boolean} paused whether the reader wants it held
 * @property {boolean} past whether what is shown ends before the stream does: what the stream says is not for it
 * @property {{ encoding: string, redacted: boolean } | null} able what a server tells that knows of history, filters and
 *   searches; null if it does not
 * @property {import('./wire.js').Patterns | null} filter the one that holds for what is shown and for what comes
 * @property {boolean} follow whether the reader stands at the end and wants to stay there
 * @property {boolean} hidden whether the page is in the background
 * @property {Room} room
 * @property {import('./ways.js').Way} way by which the stream comes
 * @property {Link} link
 * @property {string | null} cursor behind everything that was processed
 * @property {number | null} size of the log when reading began
 * @property {number} asked how many lines before the end reading began
 * @property {number | null} began the byte at which it began, where the cursor tells
 * @property {number} backlog bytes that were there already when it began
 * @property {number} had lines that began in them, as far as they have come
 * @property {boolean} bounded whether a filter was not applied to all there was before it
 * @property {number} behind bytes between what was sent and the log's end, as the server last said
 * @property {string | null} missing why the log is not there; null if it is
 * @property {number} bytes of the log received in this session
 * @property {number} below lines that came since the reader left the end
 * @property {number} away lines that came since the page was hidden
 * @property {Listing} listing
 */

/**
 * @typedef {{ type: 'choose', log: string | null, past: boolean } | { type: 'connect' } | { type: 'disconnect' }
 *   | { type: 'pause', on: boolean } | { type: 'follow', on: boolean } | { type: 'hidden', on: boolean }
 *   | { type: 'live' } | { type: 'past' } | { type: 'join', cursor: string, follow: boolean }
 *   | { type: 'filtered', filter: import('./wire.js').Patterns | null, cursor: string }
 *   | { type: 'room', room: Room }
 *   | { type: 'connecting', way: import('./ways.js').Way } | { type: 'waiting', until: number, code: number, reason: string }
 *   | { type: 'message', message: import('./wire.js').Message, started: number }
 *   | { type: 'listing', catalogue: import('./wire.js').Catalogue }
 *   | { type: 'unlisted', refused: boolean }} PageEvent
 */

/** @type {Readonly<State>} */
export const START = Object.freeze({
  log: null,
  reading: 0,
  session: 0,
  running: false,
  paused: false,
  past: false,
  able: null,
  filter: null,
  follow: true,
  hidden: false,
  room: 'plenty',
  way: 'websocket',
  link: Object.freeze({ kind: 'closed' }),
  cursor: null,
  size: null,
  asked: 0,
  began: null,
  backlog: 0,
  had: 0,
  bounded: false,
  behind: 0,
  missing: null,
  bytes: 0,
  below: 0,
  away: 0,
  listing: Object.freeze({ kind: 'loading', logs: [], version: '', server: '', demo: false, user: '' }),
});

/**
 * What the page knows after `event`.
 * @param {State} state
 * @param {PageEvent} event
 * @returns {State}
 */
export function next(state, event) {
  switch (event.type) {
    case 'choose':
      return { ...begin(state, event.log), past: event.past, follow: !event.past };
    case 'live':
      return { ...begin(state, state.log), filter: state.filter };
    case 'past':
      return { ...state, past: true, follow: false, below: 0, behind: 0 };
    case 'join':
      return {
        ...state,
        session: state.session + 1,
        past: false,
        follow: event.follow,
        cursor: event.cursor,
        link: { kind: state.running ? 'connecting' : 'closed' },
      };
    case 'filtered':
      return { ...state, filter: event.filter, cursor: event.cursor, below: 0 };
    case 'connect':
      // Where it was disconnected it goes on: nothing is left out. A log that ended is read anew.
      if (state.log === null || state.running) return state;
      return state.link.kind === 'ended'
        ? { ...begin(state, state.log), filter: state.filter }
        : { ...state, running: true, link: { kind: 'connecting' } };
    case 'disconnect':
      return { ...state, running: false, paused: false, behind: 0, link: { kind: 'closed' } };
    case 'pause':
      return state.running && state.paused !== event.on ? { ...state, paused: event.on } : state;
    case 'follow':
      // At the end of what is shown of the past is not at the end.
      if (state.past) return state;
      return { ...state, follow: event.on, below: event.on ? 0 : state.below };
    case 'hidden':
      return { ...state, hidden: event.on, away: 0 };
    case 'room':
      return state.room === event.room ? state : { ...state, room: event.room };
    case 'connecting':
      return { ...state, way: event.way, link: { kind: 'connecting' } };
    case 'waiting':
      if (state.link.kind === 'ended') return state;
      return {
        ...state,
        behind: 0,
        link: { kind: 'waiting', until: event.until, code: event.code, reason: event.reason },
      };
    case 'message':
      return hear(state, event.message, event.started);
    case 'listing':
      return { ...state, listing: { kind: 'known', ...event.catalogue } };
    case 'unlisted':
      return { ...state, listing: { ...state.listing, kind: event.refused ? 'refused' : 'unreachable' } };
  }
}

/**
 * @param {State} state
 * @param {string | null} log
 * @returns {State}
 */
function begin(state, log) {
  const { hidden, listing, able, way } = state;
  const running = log !== null;
  return {
    ...START,
    hidden,
    listing,
    able,
    way,
    log,
    running,
    reading: state.reading + 1,
    session: state.session + 1,
    link: { kind: running ? 'connecting' : 'closed' },
  };
}

/**
 * @param {State} state
 * @param {import('./wire.js').Message} message
 * @param {number} started how many lines began with it
 * @returns {State}
 */
function hear(state, message, started) {
  if (state.past && message.kind !== 'hello') return heardInThePast(state, message);
  const heard = { ...state, cursor: cursorAfter(message) ?? state.cursor };
  switch (message.kind) {
    case 'hello':
      // What the last connection said about missing and behind is out of date.
      return {
        ...(state.cursor === null ? greeted(heard, message) : heard),
        link: { kind: 'open' },
        missing: null,
        behind: 0,
        able: message.encoding === null ? null : { encoding: message.encoding, redacted: message.redacted },
        cursor: state.cursor ?? (message.cursor || null),
        size: message.size,
      };
    case 'lines':
      return {
        ...heard,
        missing: null,
        bytes: state.bytes + message.bytes,
        had: state.bytes < state.backlog ? state.had + started : state.had,
        below: sticks(state) ? 0 : state.below + started,
        away: state.hidden ? state.away + started : 0,
      };
    case 'missing':
      return { ...heard, missing: message.why };
    case 'back':
      return { ...heard, missing: null };
    case 'behind':
      return { ...heard, behind: message.bytes };
    case 'end':
      return { ...heard, running: false, paused: false, behind: 0, link: { kind: 'ended' } };
    default:
      return heard;
  }
}

/**
 * What the stream says is not for who reads something else, but that it is still there.
 * @param {State} state
 * @param {import('./wire.js').Message} message
 * @returns {State}
 */
function heardInThePast(state, message) {
  if (message.kind === 'missing') return { ...state, missing: message.why };
  return message.kind === 'back' ? { ...state, missing: null } : state;
}

/**
 * Where reading begins, from the first `hello`.
 * @param {State} state
 * @param {Extract<import('./wire.js').Message, { kind: 'hello' }>} hello
 * @returns {State}
 */
function greeted(state, hello) {
  const began = offsetIn(hello.cursor);
  const { lines: asked, bounded } = hello;
  return { ...state, asked, bounded, began, backlog: Math.max(0, (hello.size ?? 0) - (began ?? 0)) };
}

/**
 * Whether the server filters, searches and leads into the past, as any but an older one does; nobody knows before `hello`.
 * @param {State} state
 */
export function answers({ able }) {
  return able !== null;
}

/**
 * Whether the view stays at the end while lines come. Only then may old lines be let go: text is never pulled away
 * under somebody who reads.
 * @param {State} state
 */
export function sticks(state) {
  return state.follow && !state.paused && !state.past;
}

/**
 * What the socket shall do. Connected or not, and held or not: when what is held has reached its bounds and the reader
 * stands elsewhere, the page itself asks the server to wait, and when that comes too late it hangs up and goes on at
 * its cursor afterwards.
 * @param {State} state
 * @returns {{ connected: boolean, held: boolean }}
 */
export function wish(state) {
  const stuffed = !sticks(state) && !state.past && state.room !== 'plenty';
  return {
    connected: state.running && !(stuffed && state.room === 'overfull'),
    held: state.paused || state.past || stuffed,
  };
}

/**
 * The state of the connection in one word, and what there is to say about it.
 * @typedef {object} Status
 * @property {'none' | 'connecting' | 'live' | 'catching-up' | 'past' | 'paused' | 'full' | 'gone' | 'waiting' | 'refused'
 *   | 'never' | 'disconnected' | 'ended'} kind `never`: a job that has not run yet
 * @property {string} why the server's words, where there are any
 * @property {'' | 'unlisted' | 'denied' | 'unreachable'} cause ours, where the browser tells none
 * @property {number | null} until when the next attempt is made
 */

/**
 * @param {State} state
 * @returns {Status}
 */
export function status(state) {
  const { link, listing } = state;
  /** @type {Status} */
  const plain = { kind: 'none', why: '', cause: '', until: null };
  if (state.log === null) return plain;
  if (link.kind === 'ended') return { ...plain, kind: 'ended' };
  if (!state.running) return { ...plain, kind: 'disconnected' };
  if (link.kind === 'waiting') {
    // A browser does not tell the page why a handshake failed; the list of logs does.
    const unlisted = listing.kind === 'known' && !listing.logs.some((log) => log.name === state.log);
    const why = link.reason;
    if (link.code === POLICY) return { kind: 'refused', why, cause: '', until: link.until };
    if (listing.kind === 'refused') return { kind: 'refused', why, cause: 'denied', until: link.until };
    if (unlisted) return { kind: 'refused', why, cause: 'unlisted', until: link.until };
    return { kind: 'waiting', why, cause: listing.kind === 'unreachable' ? 'unreachable' : '', until: link.until };
  }
  if (state.past) return { ...plain, kind: link.kind === 'open' ? 'past' : 'connecting' };
  if (state.paused) return { ...plain, kind: 'paused' };
  if (wish(state).held) return { ...plain, kind: 'full' };
  if (link.kind !== 'open') return { ...plain, kind: 'connecting' };
  if (state.missing !== null) {
    const job = listing.logs.some(({ name, kind }) => name === state.log && kind === 'job');
    return job ? { ...plain, kind: 'never' } : { ...plain, kind: 'gone', why: state.missing };
  }
  return { ...plain, kind: state.behind > 0 ? 'catching-up' : 'live' };
}
