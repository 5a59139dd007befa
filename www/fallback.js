/**
 * The stream where no WebSocket gets through: server-sent events, or long polls, with the face of a WebSocket.
 *
 * Whoever listens hears the messages of `wiretail.v1` (docs/protocol.md, "Without WebSocket"), from `hello` on. What is
 * said is done as far as plain HTTP goes: a pause stops asking, a filter asks anew with it. The rest is refused in words.
 *
 * Knows addresses and what comes from them; nothing of what lines mean, and not when to try what.
 */

import { patternsQuery } from './filter.js';

/** How many seconds the server may keep a poll open when there is nothing. */
const WAIT = 15;

/** Somebody who was heard so short a time ago is there: polls are answered, and events say something, every 15 s. */
const ALIVE = 20_000;

/** "Policy violation" (RFC 6455 §7.4.1), and "abnormal closure": no close came at all. */
const REFUSED = 1008;
const LOST = 1006;

/** @typedef {'events' | 'polls'} Way */

/**
 * @typedef {object} World
 * @property {(url: string, init: RequestInit) => Promise<Response>} fetch
 * @property {() => number} now
 */

/** @type {World} */
const BROWSER = { fetch: (url, init) => fetch(url, init), now: () => Date.now() };

/** The server does not give what was asked for, and says why. */
class Refused extends Error {
  /**
   * @param {number} status
   * @param {string} sentence
   */
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

export class Fallback {
  /** As a WebSocket has it: 0 connecting, 1 open, 3 closed. */
  readyState = 0;
  /** @type {((event: { data: string }) => void) | null} */
  onmessage = null;
  /** @type {((event: { code: number, reason: string }) => void) | null} */
  onclose = null;
  /** What the first place that is known is told as; then null. @type {'hello' | 'filtered' | null} */
  #opening = 'hello';
  /** Behind what was heard. @type {string | null} */
  #cursor = null;
  /** Where to go on if a filter is refused. @type {{ url: URL, cursor: string | null } | null} */
  #before = null;
  #held = false;
  #heardAt = 0;
  #asking = new AbortController();

  /**
   * @param {string} url of the stream, as a WebSocket has it
   * @param {Way} way
   * @param {World} world
   */
  constructor(url, way, world = BROWSER) {
    this.url = new URL(url);
    this.url.protocol = this.url.protocol === 'wss:' ? 'https:' : 'http:';
    this.way = way;
    this.world = world;
    this.#heardAt = world.now();
    this.#run();
  }

  close() {
    this.readyState = 3;
    this.#asking.abort();
  }

  /** @param {string} text a message of `wiretail.v1` */
  send(text) {
    const [[kind, body]] = Object.entries(JSON.parse(text));
    switch (kind) {
      case 'ping':
        if (this.world.now() - this.#heardAt < ALIVE) this.#answer({ pong: {} });
        break;
      case 'pause':
      case 'resume':
        this.#held = kind === 'pause';
        this.#run();
        break;
      case 'filter':
        this.#filter(body);
        break;
      case 'cancel':
        break;
      default:
        this.#answer({ error: { id: body.id, code: 'websocket', message: 'This needs WebSocket.' } });
    }
  }

  /**
   * Begins anew, before the last lines that pass: what was before cannot be asked for.
   * @param {import('./wire.js').Patterns | {}} patterns
   */
  #filter(patterns) {
    this.#before ??= { url: this.url, cursor: this.#cursor };
    this.url = new URL(this.url);
    this.url.search = 'grep' in patterns ? patternsQuery(patterns).toString() : '';
    this.#cursor = null;
    this.#opening = 'filtered';
    this.#run();
  }

  /** Asks for what follows; gives up what was asked before. */
  async #run() {
    this.#asking.abort();
    const asking = new AbortController();
    this.#asking = asking;
    if (this.#held && this.#opening === null) return;
    try {
      if (this.way === 'events') await this.#follow(asking.signal);
      else for (;;) await this.#poll(asking.signal);
      if (!asking.signal.aborted) this.#lose(LOST, '');
    } catch (error) {
      if (asking.signal.aborted) return;
      if (!(error instanceof Refused)) this.#lose(LOST, '');
      else if (this.#before !== null) this.#refuseFilter(error);
      else this.#lose(error.status < 500 && error.status !== 429 ? REFUSED : LOST, error.message);
    }
  }

  /** @param {AbortSignal} signal */
  async #follow(signal) {
    const answer = await this.#ask('text/event-stream', {}, signal);
    const reader = /** @type {ReadableStream<BufferSource>} */ (answer.body)
      .pipeThrough(new TextDecoderStream())
      .getReader();
    for (let rest = ''; ; ) {
      const { done, value } = await reader.read();
      if (done) return;
      this.#heardAt = this.world.now();
      const events = (rest + value).split('\n\n');
      rest = /** @type {string} */ (events.pop());
      for (const event of events) this.#take(event, signal);
    }
  }

  /**
   * @param {string} event its lines
   * @param {AbortSignal} signal
   */
  #take(event, signal) {
    if (signal.aborted) return;
    /** @param {string} name */
    const field = (name) =>
      event
        .split('\n')
        .find((line) => line.startsWith(`${name}: `))
        ?.slice(name.length + 2);
    const [id, data] = [field('id'), field('data')];
    if (this.#opening !== null) this.#open(data === undefined ? id : fromOf(data));
    // Whoever heard that may have paused, or asked for something else.
    if (signal.aborted) return;
    if (data !== undefined) this.#say(data);
    if (!signal.aborted) this.#cursor = id ?? this.#cursor;
  }

  /** @param {AbortSignal} signal */
  async #poll(signal) {
    const first = this.#opening !== null;
    const answer = await this.#ask('application/x-ndjson', first ? {} : { wait: String(WAIT) }, signal);
    const messages = (await answer.text()).split('\n').filter((line) => line !== '');
    this.#heardAt = this.world.now();
    const cursor = answer.headers.get('Wiretail-Cursor');
    if (first) this.#open((messages.length === 0 ? null : fromOf(messages[0])) ?? cursor ?? '');
    for (const message of messages) if (!signal.aborted) this.#say(message);
    if (signal.aborted) return;
    this.#cursor = cursor;
    this.#say(JSON.stringify({ behind: { bytes: Number(answer.headers.get('Wiretail-Behind') ?? 0) } }));
  }

  /**
   * @param {string} accept
   * @param {Record<string, string>} more
   * @param {AbortSignal} signal
   */
  async #ask(accept, more, signal) {
    const url = new URL(this.url);
    if (this.#cursor !== null) {
      url.searchParams.delete('lines');
      url.searchParams.set('from', this.#cursor);
    }
    for (const [name, value] of Object.entries(more)) url.searchParams.set(name, value);
    const answer = await this.world.fetch(url.href, { headers: { Accept: accept }, cache: 'no-store', signal });
    if (!answer.ok) throw new Refused(answer.status, (await answer.text()).trim());
    return answer;
  }

  /**
   * It is known where reading begins.
   * @param {string | null | undefined} from
   */
  #open(from) {
    const cursor = from ?? '';
    const opening = this.#opening;
    this.#opening = null;
    this.#before = null;
    this.#cursor = cursor || null;
    this.readyState = 1;
    const filter = this.url.searchParams.has('grep') || this.url.searchParams.has('not');
    if (opening === 'filtered') this.#say(JSON.stringify({ filtered: { cursor, active: filter } }));
    else this.#say(JSON.stringify({ hello: { name: '', cursor, size: null, lines: 0, server: '', filter } }));
    if (this.#held) this.#run();
  }

  /** @param {Refused} why */
  #refuseFilter(why) {
    const { url, cursor } = /** @type {{ url: URL, cursor: string | null }} */ (this.#before);
    [this.url, this.#cursor, this.#before, this.#opening] = [url, cursor, null, null];
    this.#say(JSON.stringify({ error: { message: why.message } }));
    this.#run();
  }

  /** Says something soon: whoever sends does not expect to be called meanwhile. @param {object} message */
  #answer(message) {
    queueMicrotask(() => this.#say(JSON.stringify(message)));
  }

  /** @param {string} data */
  #say(data) {
    if (this.readyState !== 3) this.onmessage?.({ data });
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #lose(code, reason) {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }
}

/**
 * The cursor that a message begins at, if it says so.
 * @param {string} data
 * @returns {string | null}
 */
function fromOf(data) {
  const [body] = Object.values(JSON.parse(data));
  return typeof body?.from === 'string' ? body.from : null;
}
