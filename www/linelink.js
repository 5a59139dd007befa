/**
 * The button beside the line under the pointer that makes a link to it.
 */

import { byId } from './elements.js';

export class LineLink {
  /** @type {number | null} */
  #row = null;

  /**
   * @param {HTMLElement} box in which the rows are
   * @param {(row: number) => void} link
   */
  constructor(box, link) {
    this.box = box;
    this.button = byId('line-link');
    box.addEventListener('pointerover', (event) => {
      const line = event.target instanceof Element ? event.target.closest('.line') : null;
      if (line instanceof HTMLElement) this.#attach(line);
    });
    byId('stage').addEventListener('pointerleave', () => this.hide());
    box.addEventListener('scroll', () => this.hide(), { passive: true });
    this.button.addEventListener('click', () => {
      if (this.#row !== null) link(this.#row);
    });
  }

  hide() {
    this.#row = null;
    this.button.hidden = true;
  }

  /** @param {HTMLElement} line */
  #attach(line) {
    if (!this.box.classList.contains('linkable')) return;
    this.#row = Number(line.dataset.row);
    this.button.hidden = false;
    const { top } = line.getBoundingClientRect();
    this.button.style.top = `${Math.max(0, top - this.box.getBoundingClientRect().top)}px`;
  }
}
