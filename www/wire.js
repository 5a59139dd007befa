/**
 * The sub-protocol `wiretail.v1` as the page hears and speaks it; `docs/protocol.md` is the reference.
 *
 * A message is one line of JSON with one key, its kind; behind `lines` come a newline and the raw text. What is not
 * understood is not an error: a newer server may say more than this page knows.
 *
 * Knows no socket and no state.
 */

/** The name of the sub-protocol, offered in `Sec-WebSocket-Protocol`. */
export const PROTOCOL = 'wiretail.v1';

/**
 * @typedef {{ kind: 'hello', name: string, cursor: string, size: number | null, lines: number, server: string }
 *   | { kind: 'lines', from: string, to: string, bytes: number, text: string }
 *   | { kind: 'rotated', cursor: string }
 *   | { kind: 'truncated', cursor: string }
 *   | { kind: 'gap', from: string, to: string, bytes: number | null, why: string }
 *   | { kind: 'missing', why: string }
 *   | { kind: 'back' }
 *   | { kind: 'behind', bytes: number }
 *   | { kind: 'pong' }
 *   | { kind: 'end' }
 *   | { kind: 'error', message: string }
 *   | { kind: 'unknown', name: string }} Message
 */

/** What the page may say. `ping` is answered by `pong`: browsers cannot send the protocol's own pings. */
export const SAY = Object.freeze({ pause: '{"pause":{}}', resume: '{"resume":{}}', ping: '{"ping":{}}' });

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
  return message(keys[0], body, newline < 0 ? '' : data.slice(newline + 1));
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
      const { name, cursor, size, lines, server } = body;
      return {
        kind,
        name: string(name),
        cursor: string(cursor),
        size: count(size),
        lines: count(lines) ?? 0,
        server: string(server),
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
      return { kind, message: string(body.message) };
    default:
      return { kind: 'unknown', name: kind.slice(0, 40) };
  }
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
 * @property {number | null} size
 * @property {number | null} modified milliseconds since 1970
 * @property {'ok' | 'missing' | 'refused'} state
 * @property {string} why
 * @property {number} viewers
 */

/** @typedef {{ logs: Log[], server: string, demo: boolean }} Catalogue */

/**
 * @param {unknown} json the answer of `/api/logs`
 * @returns {Catalogue}
 */
export function readCatalogue(json) {
  const body = isRecord(json) ? json : {};
  const logs = Array.isArray(body.logs) ? body.logs.filter(isRecord).filter((log) => string(log.name) !== '') : [];
  return { logs: logs.map(readLog), server: string(body.server), demo: body.demo === true };
}

/**
 * @param {Record<string, unknown>} log
 * @returns {Log}
 */
function readLog(log) {
  return {
    name: string(log.name),
    group: string(log.group),
    size: count(log.size),
    modified: count(log.modified),
    state: log.state === 'missing' || log.state === 'refused' ? log.state : 'ok',
    why: string(log.why),
    viewers: count(log.viewers) ?? 0,
  };
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
function isRecord(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @param {unknown} value */
function string(value) {
  return typeof value === 'string' ? value : '';
}

/** @param {unknown} value */
function count(value) {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;
}
