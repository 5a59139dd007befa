/**
 * The box in which one says where to go.
 */

import { byId, tell } from './elements.js';
import { meant } from './goto.js';
import { translated, WORDS } from './i18n.js';

/** A place, as it was typed. @typedef {Exclude<import('./goto.js').Meant, { problem: string }>} Place */

export class GotoBox {
  /** @type {import('./i18n.js').Language} */
  #language = 'en';

  /**
   * @param {(to: Place) => Promise<import('./reader.js').Arrival>} go
   * @param {() => void} leave the keys belong to the log again
   */
  constructor(go, leave) {
    this.go = go;
    this.leave = leave;
    this.dialog = /** @type {HTMLDialogElement} */ (byId('goto'));
    this.input = /** @type {HTMLInputElement} */ (byId('goto-text'));
    this.note = byId('goto-note');
    byId('goto-form').addEventListener('submit', (event) => {
      event.preventDefault();
      const { submitter } = /** @type {SubmitEvent} */ (event);
      this.#submit(submitter?.dataset.to ?? this.input.value);
    });
    byId('goto-close').addEventListener('click', () => this.dialog.close());
    this.input.addEventListener('input', () => tell(this.note, ''));
    this.dialog.addEventListener('click', (event) => {
      if (event.target === this.dialog) this.dialog.close();
    });
    for (const form of this.dialog.querySelectorAll('[data-form]')) {
      // An example is put into the field, to be changed there.
      form.addEventListener('click', () => {
        this.input.value = /** @type {HTMLElement} */ (form).dataset.form ?? '';
        this.input.focus();
        this.input.select();
      });
    }
  }

  /** @param {import('./i18n.js').Language} language */
  open(language) {
    this.#language = language;
    tell(this.note, '');
    this.dialog.showModal();
    this.input.focus();
    this.input.select();
  }

  /** @param {string} doing what the server does to get there */
  draw(doing) {
    if (this.dialog.open) tell(byId('goto-doing'), doing);
  }

  /** @param {string} typed */
  async #submit(typed) {
    const words = WORDS[this.#language];
    const place = meant(typed);
    if ('problem' in place) {
      tell(this.note, { nothing: '', unclear: words.gotoUnclear, percent: words.gotoPercent }[place.problem]);
      return;
    }
    const arrival = await this.go(place);
    if (arrival.kind === 'there') {
      this.dialog.close();
      this.leave();
    } else if (arrival.kind === 'refused') tell(this.note, translated(arrival.why, this.#language));
    else tell(this.note, arrival.kind === 'gone' ? words.linkGone : words.gotoFailed);
  }
}
