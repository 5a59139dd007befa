/**
 * Searching, as the reader does it: the field, how far it has come, the list of hits and the map of them. What is known
 * of a search is `searching.js`'s.
 */

import { byId, mannerSwitches, say, tell } from './elements.js';
import { LITERAL } from './filter.js';
import { HitList } from './hits.js';
import { HitMap } from './hitmap.js';
import { count, doingText, translated } from './i18n.js';
import { Strip } from './strip.js';

/**
 * @typedef {object} Finds
 * @property {() => string | null} from the cursor of what the reader sees
 * @property {(hit: import('./wire.js').Hit) => void} jump
 * @property {(percent: number) => void} go
 */

/** @typedef {Finds & import('./strip.js').StripListener} Listener */

export class Finder extends Strip {
  /** @type {import('./filter.js').Manner} */
  #manner = LITERAL;
  /** What was last searched for, and how. */
  #asked = '';

  /**
   * @param {import('./searching.js').Searching} searching
   * @param {Listener} listener
   */
  constructor(searching, listener) {
    super('finder', 'find', listener);
    this.searching = searching;
    this.listener = listener;
    this.list = new HitList(byId('hit-list'), (index) => this.#choose(index), listener.changed);
    this.map = new HitMap(/** @type {HTMLCanvasElement} */ (byId('hit-map')), listener.go);
    const set = (/** @type {import('./filter.js').Manner} */ manner) => {
      this.#manner = manner;
      if (this.searching.found.phase !== 'idle') this.#start();
      this.listener.changed();
    };
    this.drawSwitches = mannerSwitches('find', () => this.#manner, set);
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#enter(1);
    });
    this.form.addEventListener('keydown', (event) => this.#press(event));
    byId('hit-list').addEventListener('keydown', (event) => this.#press(event));
    byId('find-next').addEventListener('click', () => this.step(1));
    byId('find-previous').addEventListener('click', () => this.step(-1));
    byId('find-stop').addEventListener('click', () => this.searching.cancel());
    byId('find-close').addEventListener('click', () => this.close());
  }

  open() {
    super.open();
    this.input.select();
  }

  /** Puts the search away, and what it has found. */
  close() {
    this.#asked = '';
    this.searching.clear();
    super.close();
  }

  /** @param {1 | -1} way */
  step(way) {
    if (!this.isOpen) this.open();
    else if (this.searching.found.phase === 'idle') this.#start();
    else this.#jump(this.searching.step(way));
  }

  /**
   * @param {import('./row.js').Manner} manner
   * @param {boolean} able
   */
  draw(manner, able) {
    const { found } = this.searching;
    const { words, language } = manner;
    const open = this.isOpen && able;
    this.form.hidden = !open;
    this.form.dataset.turn = String(this.searching.turn);
    byId('find-open').ariaPressed = String(open);
    const running = found.phase === 'running';
    byId('find-stop').hidden = !running;
    const progress = /** @type {HTMLProgressElement} */ (byId('find-progress'));
    progress.hidden = !running;
    progress.value = found.share;
    const note = byId('find-note');
    say(note, noteOf(found, words, language));
    note.title = found.note === '' ? (note.textContent ?? '') : words.fromEndHint;
    note.dataset.phase = found.phase;
    // What is announced does not count up.
    say(byId('find-said'), running ? words.searching : (note.textContent ?? ''));
    this.input.ariaInvalid = String(found.phase === 'refused');
    for (const id of ['find-next', 'find-previous']) {
      /** @type {HTMLButtonElement} */ (byId(id)).disabled = found.hits.length === 0;
    }
    this.drawSwitches();
    const shown = open && found.hits.length > 0;
    byId('hits').hidden = !shown;
    byId('stage').classList.toggle('mapped', open && found.map.length > 0);
    tell(
      byId('hits-more'),
      found.more ? words.hitsMore(count(found.hits.length, language), count(found.count, language)) : '',
    );
    if (shown) this.list.draw(found, manner);
    else this.list.clear();
    this.map.draw(open ? found.map : [], found.hits[found.index]?.at ?? null, manner.theme);
  }

  /** @param {1 | -1} way */
  #enter(way) {
    const { phase } = this.searching.found;
    const again = this.#asked === this.#key() && (phase === 'running' || phase === 'done');
    if (again) this.#jump(this.searching.step(way));
    else this.#start();
  }

  #start() {
    this.#asked = this.#key();
    this.searching.start(this.input.value, this.#manner, this.listener.from());
  }

  #key() {
    return JSON.stringify([this.input.value, this.#manner]);
  }

  /** @param {number} index */
  #choose(index) {
    byId('hit-list').focus({ preventScroll: true });
    this.#jump(this.searching.choose(index));
  }

  /** @param {import('./wire.js').Hit | null} hit */
  #jump(hit) {
    if (hit !== null) this.listener.jump(hit);
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === 'ArrowDown') this.#jump(this.searching.step(1));
    else if (event.key === 'ArrowUp') this.#jump(this.searching.step(-1));
    else if (event.key === 'Enter' && event.shiftKey) this.#enter(-1);
    else if (event.key === 'Escape' && this.searching.found.phase === 'running') this.searching.cancel();
    else if (event.key === 'Escape') this.close();
    else return;
    event.preventDefault();
  }
}

/**
 * What there is to be said of a search.
 * @param {import('./searching.js').Found} found
 * @param {import('./i18n.js').Words} words
 * @param {import('./i18n.js').Language} language
 */
export function noteOf(found, words, language) {
  const lines = words.found(count(found.count, language), found.count);
  const [at, listed] = [count(found.index + 1, language), count(found.hits.length, language)];
  const where = found.more ? words.hitOfNearest(at, listed) : words.hitOf(at, listed);
  switch (found.phase) {
    case 'idle':
      return '';
    case 'running':
      return `${doingText(found, words)} · ${found.index < 0 ? lines : where}`;
    case 'done':
      if (found.count === 0) return words.foundNothing;
      if (found.index >= 0) return where;
      return found.note === '' ? lines : `${lines} · ${words.fromEnd}`;
    case 'cancelled':
      return `${words.searchStopped} · ${lines}`;
    case 'lost':
      return words.searchLost;
    case 'refused':
      return found.refusal === null ? '' : translated(found.refusal, language);
  }
}
