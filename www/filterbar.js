/**
 * The filter as the reader makes it: chips, the field for the next one, how they are meant, and the switch. A filter stays
 * as it is when the bar is put away, and its button says so.
 */

import { byId, make, mannerSwitches, tell } from './elements.js';
import { conditions, NO_FILTER, withChip, withoutChip } from './filter.js';
import { count, translated } from './i18n.js';
import { Strip } from './strip.js';

export class FilterBar extends Strip {
  /** What the chips were drawn from. */
  #drawn = '';

  /**
   * @param {import('./filtering.js').Filtering} filtering
   * @param {import('./strip.js').StripListener} listener
   */
  constructor(filtering, listener) {
    super('filters', 'filter', listener);
    this.filtering = filtering;
    this.chips = byId('chips');
    this.drawSwitches = mannerSwitches(
      'filter',
      () => filtering.filter.manner,
      (manner) => filtering.set({ ...filtering.filter, manner }),
    );
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      filtering.set(withChip(filtering.filter, filtering.filter.draft));
    });
    this.input.addEventListener('input', () => {
      const { filter } = filtering;
      filtering.set({ ...filter, draft: { ...filter.draft, text: this.input.value }, on: true }, true);
    });
    this.input.addEventListener('keydown', (event) => this.#press(event));
    byId('filter-not').addEventListener('click', () => {
      const { filter } = filtering;
      filtering.set({ ...filter, draft: { ...filter.draft, not: !filter.draft.not } });
      this.input.focus();
    });
    byId('filter-on').addEventListener('click', () => filtering.set({ ...filtering.filter, on: !filtering.filter.on }));
    byId('filter-close').addEventListener('click', () => this.close());
    byId('filter-clear').addEventListener('click', () => {
      filtering.set({ ...NO_FILTER, manner: filtering.filter.manner });
      this.input.focus();
    });
    this.chips.addEventListener('click', (event) => this.#click(event));
  }

  /**
   * @param {import('./row.js').Manner} manner
   * @param {boolean} able
   */
  draw({ words, language }, able) {
    const { filter, refused, pending } = this.filtering;
    const number = conditions(filter);
    this.form.hidden = !this.isOpen || !able;
    const button = byId('filter-open');
    button.ariaPressed = String(filter.on && number > 0);
    button.title = number > 0 ? words.filterCount(count(number, language), number) : words.filterHint;
    tell(byId('filter-count'), number > 0 ? count(number, language) : '');
    byId('filter-count').classList.toggle('off', !filter.on);
    this.form.classList.toggle('off', !filter.on);
    const on = byId('filter-on');
    on.ariaChecked = String(filter.on);
    /** @type {HTMLButtonElement} */ (on).disabled = number === 0;
    byId('filter-clear').hidden = number === 0;
    tell(byId('filter-note'), refused === null ? '' : translated(refused, language));
    this.form.ariaBusy = String(pending);
    this.input.ariaInvalid = String(refused !== null);
    if (this.input.value !== filter.draft.text) this.input.value = filter.draft.text;
    const not = byId('filter-not');
    not.textContent = filter.draft.not ? words.filterHide : words.filterOnly;
    not.classList.toggle('not', filter.draft.not);
    this.input.placeholder = filter.draft.not ? words.filterHideLines : words.filterOnlyLines;
    this.drawSwitches();
    const drawn = JSON.stringify([filter.chips, language]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.chips.replaceChildren(...filter.chips.map((chip, i) => drawChip(chip, i, words)));
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    const { filter } = this.filtering;
    const last = filter.chips.at(-1);
    if (event.key === 'Escape') {
      if (filter.draft.text === '') this.close();
      else this.filtering.set({ ...filter, draft: { ...filter.draft, text: '' } });
    } else if (event.key === 'Backspace' && this.input.value === '' && last !== undefined) {
      // The last chip is taken back to be written anew.
      this.filtering.set({ ...withoutChip(filter, filter.chips.length - 1), draft: last });
    } else return;
    event.preventDefault();
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const button = event.target instanceof Element ? event.target.closest('button') : null;
    if (button === null) return;
    const index = Number(button.dataset.index);
    const { filter } = this.filtering;
    if (button.classList.contains('remove')) {
      this.filtering.set(withoutChip(filter, index));
      this.input.focus();
      return;
    }
    const chips = filter.chips.map((chip, i) => (i === index ? { ...chip, not: !chip.not } : chip));
    this.filtering.set({ ...filter, chips });
    // The chips are drawn anew; the focus stays where it was.
    requestAnimationFrame(() => this.chips.querySelectorAll('button')[index * 2]?.focus());
  }
}

/**
 * @param {import('./filter.js').Chip} chip
 * @param {number} index
 * @param {import('./i18n.js').Words} words
 */
function drawChip({ text, not }, index, words) {
  const item = make('li', not ? 'chip not' : 'chip');
  const turn = make('button', 'turn');
  turn.append(make('span', 'sign', not ? words.filterHide : words.filterOnly), make('span', 'text', text));
  turn.title = not ? words.chipHide : words.chipOnly;
  const remove = make('button', 'remove', '×');
  remove.ariaLabel = words.chipRemove(text);
  for (const button of [turn, remove]) {
    button.setAttribute('type', 'button');
    button.dataset.index = String(index);
  }
  item.append(turn, remove);
  return item;
}
