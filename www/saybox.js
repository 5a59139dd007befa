/**
 * The box to write into a room: a name that is remembered, a message, and what the server says to it.
 *
 * It is sent by a plain request, so it is not lost with a stream, and works where no WebSocket does.
 */

import { byId, tell } from './elements.js';
import { count, translated } from './i18n.js';
import { send } from './jobs.js';
import { encode } from './route.js';

export class SayBox {
  /** @type {string | null} */
  #log = null;
  /** @type {import('./i18n.js').Words | null} */
  #words = null;
  /** @type {import('./i18n.js').Language} */
  #language = 'en';

  /**
   * @param {import('./likes.js').Likes} likes where the name is kept
   * @param {() => void} said
   */
  constructor(likes, said) {
    this.said = said;
    this.form = byId('say');
    this.who = /** @type {HTMLInputElement} */ (byId('say-who'));
    this.message = /** @type {HTMLInputElement} */ (byId('say-message'));
    this.button = /** @type {HTMLButtonElement} */ (byId('say-send'));
    this.who.value = likes.settings.who;
    this.who.addEventListener('change', () => likes.call(this.who.value.trim()));
    this.message.addEventListener('input', () => this.#note(''));
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#send();
    });
  }

  /**
   * @param {string | null} room the log, if one may write into it
   * @param {string} user whose name it is, where the server knows that
   * @param {import('./row.js').Manner} manner
   */
  draw(room, user, { words, language }) {
    this.#words = words;
    this.#language = language;
    this.form.hidden = room === null;
    this.who.hidden = user !== '';
    if (room === this.#log) return;
    // What was written for one room is not for another.
    this.#log = room;
    this.message.value = '';
    this.#note('');
  }

  async #send() {
    const [room, message] = [this.#log, this.message.value];
    if (room === null || message.trim() === '' || this.button.disabled) return;
    this.button.disabled = true;
    const body = new URLSearchParams({ message });
    const who = this.who.hidden ? '' : this.who.value.trim();
    if (who !== '') body.set('who', who);
    const answer = await send(`tail/${encode(room)}`, { method: 'POST', body });
    this.button.disabled = false;
    if (room !== this.#log) return;
    if (answer.status !== 201) return this.#note(this.#why(answer));
    this.#note('');
    // Somebody may have typed on meanwhile.
    if (this.message.value === message) this.message.value = '';
    this.message.focus();
    this.said();
  }

  /** @param {Awaited<ReturnType<typeof send>>} answer */
  #why({ status, code, message, retryAfter }) {
    const words = /** @type {import('./i18n.js').Words} */ (this.#words);
    if (status === 0) return words.sayUnanswered;
    if (status === 413) return words.sayTooLong;
    const sentence = translated({ code, message }, this.#language);
    return retryAfter > 0 ? `${sentence} · ${words.retryIn(count(retryAfter, this.#language))}` : sentence;
  }

  /** @param {string} text */
  #note(text) {
    tell(byId('say-note'), text);
    this.message.ariaInvalid = String(text !== '');
  }
}
