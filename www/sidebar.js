/**
 * The list of logs. The server is asked again every few seconds; a log's entry stays the same element, so that focus
 * and pointer stay where they are.
 */

import { make, say } from './elements.js';
import { bytes, count, reason } from './i18n.js';
import { hashFor } from './route.js';

/** A log that was written to within this time is shown as moving. */
const FRESH = 15_000;

/** @typedef {import('./wire.js').Log} Log */
/** @typedef {{ item: HTMLLIElement, link: HTMLAnchorElement, facts: HTMLElement, state: HTMLElement, viewers: HTMLElement }} Entry */

export class Sidebar {
  /** @type {Map<string, Entry>} */
  #entries = new Map();
  /** The names and groups that are built; another list is built anew. */
  #built = '';

  /**
   * @param {HTMLElement} nav
   * @param {HTMLInputElement} search
   * @param {HTMLElement} note says what there is instead of logs
   */
  constructor(nav, search, note) {
    this.nav = nav;
    this.search = search;
    this.note = note;
    search.addEventListener('input', () => this.#filter());
    search.addEventListener('keydown', (event) => {
      if (event.isComposing) return;
      const shown = this.#shown();
      if (event.key === 'Enter') shown[0]?.click();
      else if (event.key === 'ArrowDown') shown[0]?.focus();
      else return;
      event.preventDefault();
    });
    nav.addEventListener('keydown', (event) => this.#step(event));
  }

  /**
   * @param {import('./state.js').State} state
   * @param {{ words: import('./i18n.js').Words, language: import('./i18n.js').Language, now: number }} manner
   */
  draw(state, { words, language, now }) {
    this.words = words;
    this.listing = state.listing;
    const logs = state.listing.logs;
    const built = logs.map((log) => `${log.group}\n${log.name}`).join('\0');
    if (built !== this.#built) {
      this.#built = built;
      this.#build(logs);
    }
    for (const log of logs) {
      const entry = this.#entries.get(log.name);
      if (entry === undefined) continue;
      const current = log.name === state.log;
      if (current) entry.link.setAttribute('aria-current', 'page');
      else entry.link.removeAttribute('aria-current');
      const fresh = log.state === 'ok' && log.modified !== null && now - log.modified < FRESH;
      entry.link.dataset.state = fresh ? 'fresh' : log.state;
      const meaning = { ok: words.stateOk, missing: words.stateMissing, refused: words.stateRefused }[log.state];
      say(entry.state, meaning);
      say(entry.facts, log.state === 'ok' ? (log.size === null ? '' : bytes(log.size, language)) : meaning);
      say(entry.viewers, log.viewers > 0 ? count(log.viewers, language) : '');
      entry.viewers.hidden = log.viewers === 0;
      entry.viewers.title = words.viewers(count(log.viewers, language), log.viewers);
      entry.link.title = log.why === '' ? log.name : `${log.name}: ${reason(log.why, language)}`;
    }
    this.#filter();
  }

  /** @param {readonly Log[]} logs */
  #build(logs) {
    const focused =
      document.activeElement instanceof HTMLAnchorElement ? document.activeElement.dataset.log : undefined;
    this.#entries.clear();
    /** @type {Map<string, Log[]>} */
    const groups = new Map();
    for (const log of logs) groups.set(log.group, [...(groups.get(log.group) ?? []), log]);
    this.nav.replaceChildren(...[...groups].map(([group, members]) => this.#buildGroup(group, members)));
    if (focused !== undefined) this.#entries.get(focused)?.link.focus();
  }

  /**
   * @param {string} group
   * @param {Log[]} logs
   */
  #buildGroup(group, logs) {
    const section = make('section', 'group');
    const list = make('ul', '');
    if (group !== '') {
      const head = make('h2', '');
      head.textContent = group;
      section.append(head);
    }
    section.append(list);
    for (const log of logs) {
      const entry = buildEntry(log.name);
      this.#entries.set(log.name, entry);
      list.append(entry.item);
    }
    return section;
  }

  /** Shows the logs that have all the words of the search in their names. */
  #filter() {
    const wanted = this.search.value
      .toLowerCase()
      .split(/\s+/)
      .filter((word) => word !== '');
    let shown = 0;
    for (const [name, entry] of this.#entries) {
      const hit = wanted.every((word) => name.toLowerCase().includes(word));
      entry.item.hidden = !hit;
      if (hit) shown += 1;
    }
    for (const section of this.nav.children) {
      if (section instanceof HTMLElement) section.hidden = section.querySelector('li:not([hidden])') === null;
    }
    const { words, listing } = this;
    if (words === undefined || listing === undefined) return;
    let note = '';
    if (listing.kind === 'refused') note = words.listRefused;
    else if (listing.kind === 'unreachable') note = words.listUnreachable;
    else if (listing.kind === 'loading') note = words.loading;
    else if (this.#entries.size > 0 && shown === 0) note = words.noMatch;
    else if (this.#entries.size === 0) note = words.noLogs;
    say(this.note, note);
    this.note.hidden = note === '';
  }

  /** @returns {HTMLAnchorElement[]} */
  #shown() {
    return [...this.#entries.values()].filter((entry) => !entry.item.hidden).map((entry) => entry.link);
  }

  /**
   * Arrow keys walk through the list, as in any list.
   * @param {KeyboardEvent} event
   */
  #step(event) {
    const links = this.#shown();
    const at = links.indexOf(/** @type {HTMLAnchorElement} */ (document.activeElement));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[event.key];
    if (at < 0 || to === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    if (to < 0) this.search.focus();
    else links[to]?.focus();
  }
}

/**
 * @param {string} name
 * @returns {Entry}
 */
function buildEntry(name) {
  const item = document.createElement('li');
  const link = document.createElement('a');
  link.className = 'log';
  link.href = hashFor(name);
  link.dataset.log = name;
  const dot = make('span', 'dot');
  dot.ariaHidden = 'true';
  const label = make('span', 'label');
  const slash = name.lastIndexOf('/') + 1;
  const folder = make('span', 'folder');
  folder.textContent = name.slice(0, slash);
  const file = make('span', 'file');
  file.textContent = name.slice(slash);
  label.append(folder, file);
  const state = make('span', 'unseen');
  const viewers = make('span', 'viewers');
  const facts = make('span', 'facts');
  link.append(dot, label, state, viewers, facts);
  item.append(link);
  return { item, link, facts, state, viewers };
}
