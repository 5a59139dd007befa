/**
 * The stream where no WebSocket gets through: server-sent events, or long polls, with the face of a WebSocket.
 *
 * Whoever listens hears the messages of `wiretail.v1` (docs/protocol.md, "Without WebSocket"), from `hello` on. What is
 * said is done by requests of plain HTTP: a pause and a filter ask for the stream anew, a question has an answer of its own.
 *
 * Knows when to ask for what; nothing of what lines mean, and not when to try which way.
 */

import { patternsQuery } from './filter.js';
import { addressOf, EVENTS, LINES, messagesOf } from './questions.js';

/** How many seconds the server may keep a poll open when there is nothing; and when nothing is to be sent in any case. */
const WAIT = 15;
const WAIT_PAUSED = 5;

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
   * @param {string} code
   */
  constructor(status, sentence, code) {
    super(sentence);
    this.status = status;
    this.error = { code, message: sentence };
  }

  /** Whether there is no use in asking again. */
  get isFinal() {
    return this.status < 500 && this.status !== 429;
  }
}

export class Fallback {
  /** As a WebSocket has it: 0 connecting, 1 open, 3 closed. */
  readyState = 0;
  /** @type {((event: { data: string }) => void) | null} */
  onmessage = null;
  /** @type {((event: { code: number, reason: string }) => void) | null} */
  onclose = null;
  /** What the next `hello` is told as; later ones say nothing new. @type {'hello' | 'filtered' | null} */
  #opening = 'hello';
  /** Behind what was heard. @type {string | null} */
  #cursor;
  /** What to go on with if a filter is refused. @type {URL | null} */
  #before = null;
  #held = false;
  #heardAt = 0;
  #asking = new AbortController();
  /** The questions that are being answered, one of each kind. @type {Map<'search' | 'other', { id: number, asking: AbortController }>} */
  #questions = new Map();

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
    this.#cursor = this.url.searchParams.get('from');
    this.#heardAt = world.now();
    this.#run();
  }

  close() {
    this.readyState = 3;
    this.#asking.abort();
    for (const { asking } of this.#questions.values()) asking.abort();
  }

  /** @param {string} text a message of `wiretail.v1` */
  send(text) {
    const said = JSON.parse(text);
    const [[kind, body]] = Object.entries(said);
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
        for (const { id, asking } of this.#questions.values()) if (id === body.id) asking.abort();
        break;
      default:
        this.#inquire(said);
    }
  }

  /**
   * Goes on under another filter.
   * @param {import('./wire.js').Patterns | {}} patterns
   */
  #filter(patterns) {
    this.#before ??= this.url;
    this.url = new URL(this.url);
    this.url.search = 'grep' in patterns ? patternsQuery(patterns).toString() : '';
    this.#opening = 'filtered';
    this.#run();
  }

  /** Asks for what follows; gives up what was asked before. */
  async #run() {
    this.#asking.abort();
    const asking = new AbortController();
    this.#asking = asking;
    try {
      if (this.way === 'events') await this.#follow(asking.signal);
      else await this.#poll(asking.signal);
      if (!asking.signal.aborted) this.#lose(LOST, '');
    } catch (error) {
      if (asking.signal.aborted) return;
      if (!(error instanceof Refused)) this.#lose(LOST, '');
      else if (this.#before !== null) this.#refuseFilter(error);
      else this.#lose(error.isFinal ? REFUSED : LOST, error.message);
    }
  }

  /** @param {AbortSignal} signal */
  async #follow(signal) {
    const answer = await this.#ask({}, signal);
    for await (const { id, data } of messagesOf(answer)) {
      // Whoever heard the last one may have paused, or asked for something else.
      if (signal.aborted) return;
      this.#heardAt = this.world.now();
      if (data !== null) this.#hear(data);
      if (!signal.aborted) this.#cursor = id ?? this.#cursor;
    }
  }

  /** @param {AbortSignal} signal */
  async #poll(signal) {
    // One that goes on is not greeted, as the one before it was. What this is of is not heard yet, so another has to ask.
    if (this.#opening !== null && this.#cursor !== null) await this.#pollOnce({ lines: '0', from: '' }, signal);
    for (let more = {}; !signal.aborted; more = { wait: String(this.#held ? WAIT_PAUSED : WAIT) }) {
      const answer = await this.#pollOnce(more, signal);
      if (signal.aborted) return;
      this.#cursor = answer.get('Wiretail-Cursor');
      this.#say(JSON.stringify({ behind: { bytes: Number(answer.get('Wiretail-Behind') ?? 0) } }));
    }
  }

  /**
   * @param {Record<string, string>} more
   * @param {AbortSignal} signal
   */
  async #pollOnce(more, signal) {
    const answer = await this.#ask(more, signal);
    // What comes of a poll belongs together: it is heard when all of it is there.
    const messages = (await answer.text()).split('\n');
    this.#heardAt = this.world.now();
    for (const message of messages) if (!signal.aborted && message !== '') this.#hear(message);
    return answer.headers;
  }

  /**
   * Asks for the stream, from where it was heard to on.
   * @param {Record<string, string>} more
   * @param {AbortSignal} signal
   */
  #ask(more, signal) {
    const url = new URL(this.url);
    const query = url.searchParams;
    if (this.#cursor !== null) {
      query.delete('lines');
      query.set('from', this.#cursor);
    }
    if (this.#held) query.set('paused', '1');
    for (const [name, value] of Object.entries(more)) {
      if (value === '') query.delete(name);
      else query.set(name, value);
    }
    return this.#get(url.href, signal);
  }

  /**
   * @param {string} url
   * @param {AbortSignal} signal
   */
  async #get(url, signal) {
    const accept = this.way === 'events' ? EVENTS : LINES;
    const answer = await this.world.fetch(url, { headers: { Accept: accept }, cache: 'no-store', signal });
    if (!answer.ok) {
      throw new Refused(answer.status, (await answer.text()).trim(), answer.headers.get('Wiretail-Code') ?? '');
    }
    return answer;
  }

  /** @param {string} data */
  #hear(data) {
    if (data.startsWith('{"hello":')) this.#open(JSON.parse(data).hello);
    else this.#say(data);
  }

  /**
   * It is known what is read, and where reading begins.
   * @param {Record<string, unknown>} hello
   */
  #open(hello) {
    const opening = this.#opening;
    const cursor = this.#cursor ?? hello.cursor;
    this.#opening = null;
    this.#before = null;
    this.#cursor = String(cursor);
    this.readyState = 1;
    if (opening === 'filtered') this.#say(JSON.stringify({ filtered: { cursor, active: hello.filter } }));
    else if (opening === 'hello') this.#say(JSON.stringify({ hello: { ...hello, cursor } }));
  }

  /**
   * Asks for something beside the stream. It takes the place of the question of its kind; whoever asks knows that.
   * @param {import('./questions.js').Question} question
   */
  async #inquire(question) {
    const kind = 'search' in question ? 'search' : 'other';
    const [{ id }] = Object.values(question);
    const asking = new AbortController();
    this.#questions.get(kind)?.asking.abort();
    this.#questions.set(kind, { id, asking });
    let done = false;
    try {
      const answer = await this.#get(addressOf(this.url, question), asking.signal);
      for await (const { data } of messagesOf(answer)) {
        if (asking.signal.aborted) return;
        this.#heardAt = this.world.now();
        done ||= data?.startsWith('{"done":') ?? false;
        if (data !== null) this.#say(data);
      }
      if (!done && !asking.signal.aborted) this.#lose(LOST, '');
    } catch (error) {
      if (done || asking.signal.aborted) return;
      // A question that makes no sense, or is too much, is no reason to give up the stream.
      const refused = error instanceof Refused && (error.isFinal || error.error.code !== '');
      if (refused) this.#say(JSON.stringify({ error: { ...error.error, id } }));
      else this.#lose(LOST, '');
    }
  }

  /** @param {Refused} why */
  #refuseFilter(why) {
    [this.url, this.#before, this.#opening] = [/** @type {URL} */ (this.#before), null, null];
    this.#say(JSON.stringify({ error: why.error }));
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
    if (this.readyState === 3) return;
    this.close();
    this.onclose?.({ code, reason });
  }
}
