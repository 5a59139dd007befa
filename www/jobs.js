/**
 * Jobs: commands that the server runs when somebody asks for it. What the page knows of the one whose log is looked at.
 *
 * The server says in the list of logs when a run begins or ends; then the job is asked for anew. Knows no DOM.
 */

import { encode } from './route.js';

/** @typedef {import('./wire.js').Job} Job */
/** What came of asking for something: an empty sentence if it was done. @typedef {{ status: number } & import('./wire.js').Refusal} Answer */

export class JobWatch {
  /** @type {Job | null} */
  job = null;
  /** Of which job, and as of which version of the list. */
  #looked = '';
  #asking = false;

  /**
   * @param {(json: unknown) => Job | null} read
   * @param {() => void} changed
   */
  constructor(read, changed) {
    this.read = read;
    this.changed = changed;
  }

  /**
   * Says which job is looked at, as often as one likes.
   * @param {string | null} name
   * @param {string} version of the list of logs
   */
  look(name, version) {
    const looked = `${name}\n${version}`;
    if (this.job !== null && this.job.name !== name) this.job = null;
    if (looked === this.#looked || this.#asking) return;
    this.#looked = looked;
    if (name !== null) this.#ask(name);
  }

  /** @returns {Promise<Answer>} */
  start() {
    return this.#do('POST');
  }

  /** @returns {Promise<Answer>} */
  stop() {
    return this.#do('DELETE');
  }

  /** @param {'POST' | 'DELETE'} method */
  async #do(method) {
    const name = this.job?.name;
    if (name === undefined) return { status: 0, code: '', message: '' };
    const answer = await send(`jobs/${encode(name)}`, { method });
    await this.#ask(name);
    return answer;
  }

  /** @param {string} name */
  async #ask(name) {
    this.#asking = true;
    try {
      const answer = await fetch(`jobs/${encode(name)}`, { cache: 'no-store' });
      this.job = answer.ok ? this.read(await answer.json()) : null;
    } catch {
      // The list of logs says that the server is away; when it is back, there is another version of it.
    }
    this.#asking = false;
    this.changed();
  }
}

/**
 * Asks the server to do something.
 * @param {string} url
 * @param {RequestInit} init
 * @returns {Promise<Answer & { retryAfter: number }>} `status` is 0 where there was no answer
 */
export async function send(url, init) {
  try {
    const answer = await fetch(url, { cache: 'no-store', ...init });
    const message = (await answer.text()).trim();
    const retryAfter = Number(answer.headers.get('Retry-After') ?? 0);
    const code = answer.headers.get('Wiretail-Code') ?? '';
    return { status: answer.status, code, message: answer.ok ? '' : message, retryAfter };
  } catch {
    return { status: 0, code: '', message: '', retryAfter: 0 };
  }
}
