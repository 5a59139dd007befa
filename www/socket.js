/**
 * One stream, kept up: connect, notice that it is lost, wait, connect again where reading stopped.
 *
 * `update` may be called at any time and as often as one likes; it says what is wanted, and the socket gets there.
 * Nothing is ever lost or repeated by connecting again, because every attempt asks `url()` anew, and that names the
 * cursor behind what was processed. So whenever a connection is in doubt, a new one is made. Where no WebSocket gets
 * through, the stream comes by another way (`ways.js`), and now and then a WebSocket is tried beside it.
 *
 * Knows nothing of what the messages mean, except `hello`'s coming first: before it nothing is said.
 */

import { GOOD_AFTER, LONGEST, POLICY, wait } from './backoff.js';
import { Fallback } from './fallback.js';
import { Ways } from './ways.js';
import { PROTOCOL, SAY } from './wire.js';

/** After this long without a word the page asks whether anybody is there. */
const SILENCE = 20_000;

/** And after this long without an answer it takes the connection for dead. */
const PATIENCE = 8_000;

/** How often it looks. */
const LOOK = 2_000;

/**
 * What is wanted: another `key` means another stream, from its beginning.
 * @typedef {{ key: string, url: () => string, held: boolean }} Target
 */

/**
 * @typedef {object} Listener
 * @property {(way: import('./ways.js').Way) => void} connecting
 * @property {(data: string) => void} message
 * @property {(loss: { until: number, code: number, reason: string }) => void} waiting
 */

/**
 * What is used of a WebSocket; another way has the same face.
 * @typedef {object} Link
 * @property {number} readyState
 * @property {((event: any) => void) | null} onmessage
 * @property {((event: any) => void) | null} onclose
 * @property {(text: string) => void} send
 * @property {() => void} close
 */

/**
 * What the socket needs of the world, so that a test can be the world.
 * @typedef {object} World
 * @property {(url: string, way: import('./ways.js').Way) => Link} connect
 * @property {() => number} now
 * @property {() => number} random
 * @property {(run: () => void, ms: number) => number} after
 * @property {(timer: number) => void} cancel
 */

/** @type {World} */
const BROWSER = {
  connect: (url, way) => (way === 'websocket' ? new WebSocket(url, PROTOCOL) : new Fallback(url, way)),
  now: () => Date.now(),
  random: () => Math.random(),
  after: (run, ms) => Number(setTimeout(run, ms)),
  cancel: (timer) => clearTimeout(timer),
};

export class Socket {
  /** @type {Target | null} */
  #target = null;
  /** @type {Link | null} */
  #ws = null;
  #ways = new Ways();
  /** A WebSocket that is tried beside another way. @type {Link | null} */
  #trial = null;
  /** @type {number | null} */
  #trialTimer = null;
  /** @type {number | null} */
  #timer = null;
  #attempt = 0;
  /** Whether the server has spoken on this connection. */
  #greeted = false;
  /** What the server was last told on this connection. */
  #held = false;
  #openedAt = 0;
  #heardAt = 0;
  /** @type {number | null} */
  #askedAt = null;

  /**
   * @param {Listener} listener
   * @param {World} world
   */
  constructor(listener, world = BROWSER) {
    this.listener = listener;
    this.world = world;
  }

  /** @param {Target | null} target null to hang up */
  update(target) {
    const changed = target?.key !== this.#target?.key;
    this.#target = target;
    if (changed) {
      this.#hangUp();
      this.#attempt = 0;
      if (target !== null) this.#connect();
    }
    this.#tellHeld();
  }

  /**
   * Says something on this connection. What is said may be lost with it: `waiting` tells.
   * @param {import('./wire.js').Ask} ask
   * @returns {boolean} whether there is a connection
   */
  ask(ask) {
    const open = this.#greeted && this.#ws?.readyState === 1;
    if (open) this.#say(JSON.stringify(ask));
    return open;
  }

  /**
   * Something suggests that now is a good time: the network is back, the page is looked at again. A wait is cut short;
   * a connection that has been silent is asked whether it still lives.
   */
  wake() {
    if (this.#target === null) return;
    if (this.#ws === null) {
      this.#attempt = 0;
      this.#connect();
    } else if (this.#greeted && this.world.now() - this.#heardAt > LOOK) {
      this.#ask();
    }
  }

  /** The server answers plain HTTP, and has the log: if a WebSocket fails now, it is not for want of a server. */
  reached() {
    this.#ways.reached();
  }

  /**
   * Somebody thinks that a WebSocket might get through now.
   * @param {() => void} blocked called if it does not
   */
  tryWebSocket(blocked) {
    if (this.#ways.way !== 'websocket' && this.#greeted) this.#try(blocked);
  }

  #connect() {
    const target = this.#target;
    if (target === null) return;
    this.#hangUp();
    const { way } = this.#ways;
    const ws = this.world.connect(target.url(), way);
    this.#ws = ws;
    this.#openedAt = this.world.now();
    this.#heardAt = this.#openedAt;
    this.#timer = this.world.after(() => this.#look(), LOOK);
    ws.onmessage = (event) => {
      if (ws === this.#ws && typeof event.data === 'string') this.#hear(event.data);
    };
    ws.onclose = (event) => {
      if (ws === this.#ws) this.#lose(event.code, event.reason);
    };
    this.listener.connecting(way);
  }

  /** @param {string} data */
  #hear(data) {
    if (!this.#greeted) this.#greet();
    this.#heardAt = this.world.now();
    const answer = this.#askedAt !== null && data.startsWith('{"error"') && !data.startsWith('{"error":{"id"');
    this.#askedAt = null;
    // A server that does not know `ping` says so: it is alive as well.
    if (!answer) this.listener.message(data);
    this.#tellHeld();
  }

  #greet() {
    this.#greeted = true;
    this.#ways.spoke();
    if (this.#ways.way !== 'websocket') this.#tryLater();
  }

  #tryLater() {
    if (this.#trialTimer !== null) this.world.cancel(this.#trialTimer);
    this.#trialTimer = this.world.after(() => this.#try(() => {}), this.#ways.untilTrial());
  }

  /**
   * Tries a WebSocket. If it gets through, the stream goes on by another one, from where the page stands then.
   * @param {() => void} blocked
   */
  #try(blocked) {
    const target = this.#target;
    if (target === null) return;
    this.#trial?.close();
    const trial = this.world.connect(target.url(), 'websocket');
    this.#trial = trial;
    this.#tryLater();
    trial.onclose = () => {
      if (trial !== this.#trial) return;
      this.#trial = null;
      blocked();
    };
    trial.onmessage = () => {
      if (trial !== this.#trial) return;
      this.#ways.begin();
      this.#attempt = 0;
      this.#connect();
    };
  }

  /** Whether the connection is still one; a timer, because nothing else happens on a dead one. */
  #look() {
    const now = this.world.now();
    this.#timer = this.world.after(() => this.#look(), LOOK);
    if (this.#askedAt !== null && now - this.#askedAt > PATIENCE) {
      this.#lose(1006, '');
    } else if (!this.#greeted && now - this.#openedAt > (this.#isOpening() ? PATIENCE : SILENCE)) {
      this.#lose(1006, '');
    } else if (this.#greeted && this.#askedAt === null && now - this.#heardAt > SILENCE) {
      this.#ask();
    }
  }

  /** Whether it is waited for a handshake: what does not let a WebSocket through may swallow it. */
  #isOpening() {
    return this.#ways.way === 'websocket' && this.#ws?.readyState === 0;
  }

  #ask() {
    if (this.#askedAt !== null) return;
    this.#askedAt = this.world.now();
    this.#say(SAY.ping);
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #lose(code, reason) {
    const now = this.world.now();
    if (!this.#greeted) this.#ways.failed();
    else if (now - this.#openedAt >= GOOD_AFTER) this.#attempt = 0;
    this.#hangUp();
    if (this.#target === null) return;
    const ms = code === POLICY ? LONGEST : wait(this.#attempt, this.world.random());
    this.#attempt += 1;
    this.#timer = this.world.after(() => this.#connect(), ms);
    this.listener.waiting({ until: now + ms, code, reason });
  }

  #tellHeld() {
    const held = this.#target?.held ?? false;
    if (!this.#greeted || held === this.#held) return;
    this.#held = held;
    this.#say(held ? SAY.pause : SAY.resume);
  }

  /** @param {string} text */
  #say(text) {
    // 1 is OPEN. On a closing one `send` would be thrown away in silence, and `close` is on its way.
    if (this.#ws?.readyState === 1) this.#ws.send(text);
  }

  /** Whatever still comes from the connection that was is not listened to. */
  #hangUp() {
    for (const timer of [this.#timer, this.#trialTimer]) if (timer !== null) this.world.cancel(timer);
    this.#timer = null;
    this.#trialTimer = null;
    this.#trial?.close();
    this.#trial = null;
    const ws = this.#ws;
    this.#ws = null;
    this.#greeted = false;
    this.#held = false;
    this.#askedAt = null;
    ws?.close();
  }
}
