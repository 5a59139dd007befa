/**
 * What is asked of a log's past as an address of plain HTTP says it, and messages as plain HTTP brings them.
 *
 * Knows what `docs/protocol.md` says under "Without WebSocket"; not who asks, nor what comes of it.
 */

/** Both ways in which messages come: each for itself as it is made, or a line each. */
export const EVENTS = 'text/event-stream';
export const LINES = 'application/x-ndjson';

/** What a filter in an address consists of. */
const FILTER = ['grep', 'not', 'ignore_case', 'words', 'literal'];

/** @typedef {Exclude<import('./wire.js').Ask, { filter: unknown } | { cancel: unknown }>} Question */

/**
 * The address of an answer.
 * @param {URL} stream that of the log, with the filter under which it is seen
 * @param {Question} question
 */
export function addressOf(stream, question) {
  const url = new URL(stream);
  const query = new URLSearchParams();
  if ('search' in question) {
    const { id, grep, not, from, most, ...manner } = question.search;
    for (const pattern of grep) query.append('search', pattern);
    for (const pattern of not) query.append('not', pattern);
    for (const [name, on] of Object.entries(manner)) if (on) query.append(name, '1');
    if (from !== undefined) query.append('from', from);
    query.append('most', String(most));
    query.append('id', String(id));
  } else {
    const { id, ...members } = Object.values(question)[0];
    for (const [name, value] of Object.entries(members)) {
      if (name === 'to') query.append('seek', goalOf(value));
      else query.append(name, String(value));
    }
    query.append('id', String(id));
    if (!('seek' in question)) {
      for (const name of FILTER) for (const value of url.searchParams.getAll(name)) query.append(name, value);
    }
  }
  url.search = query.toString();
  return url.href;
}

/**
 * `start`, or `line:1234`
 * @param {import('./wire.js').Goal} goal
 */
function goalOf(goal) {
  const [word, value] = Object.entries(goal)[0];
  return typeof value === 'object' ? word : `${word}:${value}`;
}

/**
 * The messages of an answer, as they come, in either form. An event has the cursor behind it as its `id`; without `data` it
 * says no more than that.
 * @param {Response} answer
 * @returns {AsyncGenerator<{ id: string | null, data: string | null }, void>}
 */
export async function* messagesOf(answer) {
  const events = answer.headers.get('Content-Type')?.startsWith(EVENTS) ?? false;
  const reader = /** @type {ReadableStream<BufferSource>} */ (answer.body)
    .pipeThrough(new TextDecoderStream())
    .getReader();
  for (let rest = ''; ; ) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + value).split(events ? '\n\n' : '\n');
    rest = /** @type {string} */ (parts.pop());
    for (const part of parts) yield events ? eventOf(part) : { id: null, data: part };
  }
}

/** @param {string} event its lines */
function eventOf(event) {
  /** @param {string} name */
  const field = (name) =>
    event
      .split('\n')
      .find((line) => line.startsWith(`${name}: `))
      ?.slice(name.length + 2) ?? null;
  return { id: field('id'), data: field('data') };
}
