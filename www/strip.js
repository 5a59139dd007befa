/**
 * A strip below the bar, such as the search and the filter: opened by its button or key, put away by its cross or Esc,
 * folded to make room for another. What is in it is its owner's.
 */

import { byId } from './elements.js';

/**
 * @typedef {object} StripListener
 * @property {() => void} changed
 * @property {(strip: Strip) => void} opens before it does: where there is little room, others are folded
 * @property {() => void} leave the keys belong to the log again
 */

export class Strip {
  #open = false;

  /**
   * @param {string} form the ids of its form, and of the field in it
   * @param {string} input
   * @param {StripListener} listener
   */
  constructor(form, input, listener) {
    this.strip = listener;
    this.form = byId(form);
    this.input = /** @type {HTMLInputElement} */ (byId(input));
  }

  get isOpen() {
    return this.#open;
  }

  open() {
    this.strip.opens(this);
    this.#open = true;
    // At once: whoever types on writes into the field.
    this.form.hidden = false;
    this.input.focus();
    this.strip.changed();
  }

  /** Opens what is put away, and puts away what is open. */
  turn() {
    if (this.#open) this.close();
    else this.open();
  }

  /** Makes room for something else; what it does goes on. */
  fold() {
    this.#open = false;
  }

  /** Puts it away. */
  close() {
    this.#open = false;
    this.strip.leave();
    this.strip.changed();
  }
}
