/**
 * The sub-protocol `wiretail.v1` as the page hears and speaks it; `docs/protocol.md` is the reference.
 *
 * A message is one line of JSON with one key, its kind; behind `lines`, `older` and `newer` come a newline and the raw
 * text. What is not understood is not an error: a newer server may say more than this page knows.
 *
 * Knows no socket and no state.
 */

/** The name of the sub-protocol, offered in `Sec-WebSocket-Protocol`. */
export const PROTOCOL = 'wiretail.v1';

/** A part of the history; `gap` says why there is no text. @typedef {object} Stretch
 * @property {number | null} id of the request
 * @property {string} from
 * @property {string} to
 * @property {number | null} bytes
 * @property {'rotated' | 'truncated' | null} begins how its file took the place of the one before, if it begins with it
 * @property {string | null} gap
 * @property {string} text
 */

/**
 * A line that a search has found.
 * @typedef {object} Hit
 * @property {string} cursor of the line's beginning
 * @property {number | null} line its number in its file
 * @property {number} byte before it in its file
 * @property {string} file
 * @property {string} text the line, or what lies around the match in a long one
 * @property {[number, number][]} marks where it matched, in UTF-16 units of `text`
 * @property {number} at where in the whole history, 0 to 1
 */

/**
 * @typedef {{ kind: 'place', id: number | null, cursor: string, line: number | null, byte: number, file: string, exact: boolean }} Place
 * @typedef {{ kind: 'progress', id: number | null, what: string, done: number, total: number, count: number | null,
 *   map: number[] }} Progress
 * @typedef {{ kind: 'done', id: number | null, more: boolean, count: number | null, cancelled: boolean, note: string }} Done
 */

/** Why something cannot be done: a word that stays the same (empty if there is none), and a sentence in English.
 * @typedef {{ code: string, message: string }} Refusal
 */

/**
 * `encoding` is null where the server is an older one: it has no filter, no search, and no history either.
 * @typedef {{ kind: 'hello', name: string, cursor: string, size: number | null, lines: number, server: string,
 *     encoding: string | null, redacted: boolean, filter: boolean, bounded: boolean }
 *   | { kind: 'lines', from: string, to: string, bytes: number, text: string }
 *   | { kind: 'rotated', cursor: string }
 *   | { kind: 'truncated', cursor: string }
 *   | { kind: 'gap', from: string, to: string, bytes: number | null, why: string }
 *   | { kind: 'missing', why: string }
 *   | { kind: 'back' }
 *   | { kind: 'behind', bytes: number }
 *   | { kind: 'pong' }
 *   | { kind: 'end' }
 *   | { kind: 'filtered', cursor: string, active: boolean }
 *   | { kind: 'older' } & Stretch
 *   | { kind: 'newer' } & Stretch
 *   | { kind: 'hits', id: number | null, hits: Hit[] }
 *   | { kind: 'numbers', id: number | null, lines: [number, number][] }
 *   | Place
 *   | Progress
 *   | Done
 *   | { kind: 'error', id: number | null } & Refusal
 *   | { kind: 'unknown', name: string }} Message
 */

/** What the page says of itself. `ping` is answered by `pong`: browsers cannot send the protocol's own pings. */
export const SAY = Object.freeze({ pause: '{"pause":{}}', resume: '{"resume":{}}', ping: '{"ping":{}}' });

/**
 * A place as people say it.
 * @typedef {{ start: {} } | { end: {} } | { percent: number } | { line: number } | { time: string }
 *   | { cursor: string }} Goal
 */

/**
 * Which lines: those that match every `grep` and no `not`.
 * @typedef {object} Patterns
 * @property {string[]} grep
 * @property {string[]} not
 * @property {boolean} ignore_case
 * @property {boolean} words
 * @property {boolean} literal
 */

/**
 * What the page asks; all but `filter` carry a number, by which the answers are known.
 * @typedef {{ filter: Patterns | {} }
 *   | { older: { id: number, before: string, lines: number } }
 *   | { newer: { id: number, after: string, lines: number } }
 *   | { seek: { id: number, to: Goal } }
 *   | { search: { id: number, from?: string, most: number } & Patterns }
 *   | { cancel: { id: number } }} Ask
 */

/**
 * @param {string} data one WebSocket text message
 * @returns {Message}
 */
export function read(data) {
  const newline = data.indexOf('\n');
  const head = newline < 0 ? data : data.slice(0, newline);
  /** @type {unknown} */
  let json;
  try {
    json = JSON.parse(head);
  } catch {
    return { kind: 'unknown', name: head.slice(0, 40) };
  }
  if (!isRecord(json)) return { kind: 'unknown', name: head.slice(0, 40) };
  const keys = Object.keys(json);
  const body = json[keys[0]];
  if (keys.length !== 1 || !isRecord(body)) return { kind: 'unknown', name: keys.join(',').slice(0, 40) };
  // Where a newline ends a message, the text is a member.
  return message(keys[0], body, newline < 0 ? string(body.text) : data.slice(newline + 1));
}

/**
 * @param {string} kind
 * @param {Record<string, unknown>} body
 * @param {string} text
 * @returns {Message}
 */
function message(kind, body, text) {
  switch (kind) {
    case 'hello': {
      const { name, cursor, size, lines, server, encoding } = body;
      return {
        kind,
        name: string(name),
        cursor: string(cursor),
        size: count(size),
        lines: count(lines) ?? 0,
        server: string(server),
        encoding: typeof encoding === 'string' ? encoding : null,
        redacted: body.redacted === true,
        filter: body.filter === true,
        bounded: body.bounded === true,
      };
    }
    case 'lines':
      return { kind, from: string(body.from), to: string(body.to), bytes: count(body.bytes) ?? 0, text };
    case 'rotated':
    case 'truncated':
      return { kind, cursor: string(body.cursor) };
    case 'gap':
      return { kind, from: string(body.from), to: string(body.to), bytes: count(body.bytes), why: string(body.why) };
    case 'missing':
      return { kind, why: string(body.why) };
    case 'behind':
      return { kind, bytes: count(body.bytes) ?? 0 };
    case 'back':
    case 'end':
    case 'pong':
      return { kind };
    case 'error':
      return { kind, id: count(body.id), code: string(body.code), message: string(body.message) };
    default:
      return answer(kind, body, text);
  }
}

/**
 * The messages by which requests are answered.
 * @param {string} kind
 * @param {Record<string, unknown>} body
 * @param {string} text
 * @returns {Message}
 */
function answer(kind, body, text) {
  const id = count(body.id);
  switch (kind) {
    case 'filtered':
      return { kind, cursor: string(body.cursor), active: body.active === true };
    case 'older':
    case 'newer': {
      const begins = body.begins === 'rotated' || body.begins === 'truncated' ? body.begins : null;
      const gap = typeof body.gap === 'string' ? body.gap : null;
      return { kind, id, from: string(body.from), to: string(body.to), bytes: count(body.bytes), begins, gap, text };
    }
    case 'hits':
      return { kind, id, hits: records(body.hits).map(readHit) };
    case 'numbers': {
      /** @type {[number, number][]} */
      const lines = [];
      for (const pair of Array.isArray(body.lines) ? body.lines : []) {
        const [which, line] = Array.isArray(pair) ? pair.map(count) : [];
        if (which != null && line != null) lines.push([which, line]);
      }
      return { kind, id, lines };
    }
    case 'place': {
      const { cursor, line, byte, file } = body;
      const exact = body.exact === true;
      return { kind, id, cursor: string(cursor), line: count(line), byte: count(byte) ?? 0, file: string(file), exact };
    }
    case 'progress': {
      const map = Array.isArray(body.map) ? body.map.map((n) => count(n) ?? 0) : [];
      const [done, total] = [count(body.done) ?? 0, count(body.total) ?? 0];
      return { kind, id, what: string(body.what), done, total, count: count(body.count), map };
    }
    case 'done': {
      const cancelled = body.cancelled === true;
      return { kind, id, more: body.more === true, count: count(body.count), cancelled, note: string(body.note) };
    }
    default:
      return { kind: 'unknown', name: kind.slice(0, 40) };
  }
}

/**
 * @param {Record<string, unknown>} hit
 * @returns {Hit}
 */
function readHit(hit) {
  const text = string(hit.text);
  /** @type {[number, number][]} */
  const marks = [];
  // In order, apart and within the text: whoever cuts at them need not look again.
  for (const mark of Array.isArray(hit.marks) ? hit.marks : []) {
    const [from, to] = Array.isArray(mark) ? mark : [];
    const before = marks.at(-1)?.[1] ?? 0;
    if (Number.isInteger(from) && Number.isInteger(to) && before <= from && from < to && to <= text.length) {
      marks.push([from, to]);
    }
  }
  const at = Math.min(1, count(hit.at) ?? 0);
  const { cursor, line, byte, file } = hit;
  return { cursor: string(cursor), line: count(line), byte: count(byte) ?? 0, file: string(file), text, marks, at };
}

/**
 * Where to go on after `message` has been processed; null if it says nothing about that. A `hello` does not count on a
 * connection that resumes: if it broke before the `gap` that follows, the missing bytes would be forgotten.
 * @param {Message} message
 * @returns {string | null}
 */
export function cursorAfter(message) {
  switch (message.kind) {
    case 'lines':
    case 'gap':
      return message.to || null;
    case 'rotated':
    case 'truncated':
    case 'filtered':
      return message.cursor || null;
    default:
      return null;
  }
}

/**
 * The byte offset a cursor stands for, to be shown to people and for nothing else: to the page a cursor is opaque.
 * Null if it does not look as expected.
 * @param {string} cursor
 */
export function offsetIn(cursor) {
  const newest = cursor.split('~').at(-1) ?? '';
  const match = /^[0-9a-f]+\.[0-9a-f]*\.[0-9a-f]*\.([0-9a-f]{1,13})$/.exec(newest);
  return match === null ? null : Number.parseInt(match[1], 16);
}

/**
 * A log as `/api/logs` lists it.
 * @typedef {object} Log
 * @property {string} name
 * @property {string} group
 * @property {string} kind `file`, `stdin`, `job`, `room`
 * @property {number | null} size
 * @property {number | null} modified milliseconds since 1970
 * @property {'ok' | 'missing' | 'refused'} state
 * @property {string} why
 * @property {number} viewers
 * @property {boolean} writable whether one may write into it
 */

/**
 * The list of logs, or if there is a `since` what has changed in it since that version.
 * @typedef {{ logs: Log[], removed: string[], version: string, since: string, server: string, demo: boolean, user: string }} Catalogue
 */

/**
 * @param {unknown} json the answer of `/api/logs`
 * @returns {Catalogue}
 */
export function readCatalogue(json) {
  const body = isRecord(json) ? json : {};
  const logs = records(body.logs).filter((log) => string(log.name) !== '');
  return {
    logs: logs.map(readLog),
    removed: Array.isArray(body.removed) ? body.removed.map(string) : [],
    version: string(body.version),
    since: string(body.since),
    server: string(body.server),
    demo: body.demo === true,
    user: string(body.user),
  };
}

/**
 * @param {Record<string, unknown>} log
 * @returns {Log}
 */
function readLog(log) {
  return {
    name: string(log.name),
    group: string(log.group),
    kind: string(log.kind),
    size: count(log.size),
    modified: count(log.modified),
    state: log.state === 'missing' || log.state === 'refused' ? log.state : 'ok',
    why: string(log.why),
    viewers: count(log.viewers) ?? 0,
    writable: log.writable === true,
  };
}

/**
 * How a run of a job ended.
 * @typedef {{ kind: 'exit', code: number } | { kind: 'signal', signal: number } | { kind: 'failed', why: string }
 *   | { kind: 'lost' }} End
 */

/**
 * One run of a job; `end` is null while it runs.
 * @typedef {object} Run
 * @property {number} run
 * @property {number} started milliseconds since 1970
 * @property {number} took milliseconds
 * @property {End | null} end
 * @property {'asked' | 'timeout' | null} stopped why it was made to end, if it was
 * @property {string} from the cursor in the job's log where it begins
 */

/** A command that may be started; its runs, the newest first. @typedef {{ name: string, about: string, running: boolean, startable: boolean, runs: Run[] }} Job */

/**
 * @param {unknown} json the answer of `/jobs/NAME`
 * @returns {Job | null}
 */
export function readJob(json) {
  if (!isRecord(json) || string(json.name) === '') return null;
  const runs = records(json.runs).map((run) => ({
    run: count(run.run) ?? 0,
    started: count(run.started) ?? 0,
    took: count(run.took) ?? 0,
    end: readEnd(run.end),
    stopped: readStop(run.stopped),
    from: string(run.from),
  }));
  return {
    name: string(json.name),
    about: string(json.about),
    running: json.running === true,
    startable: json.startable !== false,
    runs,
  };
}

/**
 * @param {unknown} stopped
 * @returns {Run['stopped']}
 */
function readStop(stopped) {
  return stopped === 'asked' || stopped === 'timeout' ? stopped : null;
}

/**
 * @param {unknown} end
 * @returns {End | null}
 */
function readEnd(end) {
  if (end === null || end === undefined) return null;
  if (!isRecord(end)) return { kind: 'lost' };
  if (typeof end.exit === 'number') return { kind: 'exit', code: end.exit };
  if (typeof end.signal === 'number') return { kind: 'signal', signal: end.signal };
  return typeof end.failed === 'string' ? { kind: 'failed', why: end.failed } : { kind: 'lost' };
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
function isRecord(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * @param {unknown} value
 * @returns {Record<string, unknown>[]}
 */
function records(value) {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

/** @param {unknown} value */
function string(value) {
  return typeof value === 'string' ? value : '';
}

/** @param {unknown} value */
function count(value) {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;
}
