/**
 * The list of logs, by groups. Only the rows in sight are elements, so ten thousand logs cost no more than twenty; a log's
 * entry stays the same element as long as it is in sight, so that focus and pointer stay where they are.
 */

import { icon, make, say, tell } from './elements.js';
import { bytes, count, reason } from './i18n.js';
import { hashFor } from './route.js';

/** A log that was written to within this time is shown as moving. */
const FRESH = 15_000;

/** Rows drawn beyond the edges. */
const AROUND = 6;

/** @typedef {import('./wire.js').Log} Log */
/** @typedef {{ item: HTMLLIElement, link: HTMLAnchorElement, facts: HTMLElement, state: HTMLElement, viewers: HTMLElement }} Entry */
/** A row, and where it begins: a group's head, or a log. @typedef {{ top: number, head: string, log: Log | null }} Row */
/** @typedef {{ words: import('./i18n.js').Words, language: import('./i18n.js').Language, now: number }} Manner */

export class Sidebar {
  /** Those that are drawn, by the log's name. @type {Map<string, Entry>} */
  #entries = new Map();
  /** The heads that are drawn, by the group's name. @type {Map<string, HTMLLIElement>} */
  #heads = new Map();
  /** All rows that the search leaves, and what they were made of. @type {Row[]} */
  #rows = [];
  #height = 0;
  /** @type {unknown[]} */
  #madeOf = [];
  /** @type {import('./state.js').State | null} */
  #state = null;
  /** @type {Manner | null} */
  #manner = null;

  /**
   * @param {HTMLElement} nav
   * @param {HTMLInputElement} search
   * @param {HTMLElement} note says what there is instead of logs
   */
  constructor(nav, search, note) {
    this.nav = nav;
    this.search = search;
    this.note = note;
    this.list = make('ul', '');
    nav.append(this.list);
    nav.addEventListener('scroll', () => this.#redraw(), { passive: true });
    search.addEventListener('input', () => {
      nav.scrollTop = 0;
      this.#redraw();
    });
    search.addEventListener('keydown', (event) => {
      if (event.isComposing) return;
      const first = this.#rows.findIndex(({ log }) => log !== null);
      if (first < 0 || (event.key !== 'Enter' && event.key !== 'ArrowDown')) return;
      const link = this.#lead(first);
      if (event.key === 'Enter') link?.click();
      else link?.focus();
      event.preventDefault();
    });
    nav.addEventListener('keydown', (event) => this.#step(event));
  }

  /**
   * @param {import('./state.js').State} state
   * @param {Manner} manner
   */
  draw(state, manner) {
    this.#state = state;
    this.#manner = manner;
    this.#redraw();
  }

  #redraw() {
    if (this.#state === null || this.#manner === null) return;
    const { listing } = this.#state;
    const style = getComputedStyle(this.nav);
    /** @param {string} name */
    const pixels = (name) => Number.parseFloat(style.getPropertyValue(name));
    const madeOf = [listing.logs, this.search.value, pixels('--log-height'), pixels('--head-height')];
    if (!madeOf.every((part, i) => part === this.#madeOf[i])) {
      this.#madeOf = madeOf;
      this.#make(found(listing.logs, this.search.value), pixels('--log-height'), pixels('--head-height'));
    }
    this.#drawRows(this.#state, this.#manner);
    tell(this.note, noteOf(listing, this.#rows.length, this.#manner.words));
  }

  /**
   * @param {Log[]} logs
   * @param {number} logHeight
   * @param {number} headHeight
   */
  #make(logs, logHeight, headHeight) {
    /** @type {Map<string, Log[]>} */
    const groups = new Map();
    for (const log of logs) {
      const group = groups.get(log.group);
      if (group === undefined) groups.set(log.group, [log]);
      else group.push(log);
    }
    this.#rows = [];
    let top = 0;
    // Those without a group come first: below a heading they would seem to belong to it.
    const inOrder = [...groups].sort(([a], [b]) => Number(a !== '') - Number(b !== ''));
    for (const [head, members] of inOrder) {
      if (head !== '') {
        this.#rows.push({ top, head, log: null });
        top += headHeight;
      }
      for (const log of members) {
        this.#rows.push({ top, head, log });
        top += logHeight;
      }
    }
    this.#height = top;
    this.list.style.height = `${top}px`;
    this.nav.classList.toggle('bare', top === 0);
  }

  /**
   * @param {import('./state.js').State} state
   * @param {Manner} manner
   */
  #drawRows(state, manner) {
    const { scrollTop, clientHeight } = this.nav;
    const from = Math.max(0, this.#rowAt(scrollTop) - AROUND);
    const to = Math.min(this.#rows.length, this.#rowAt(scrollTop + clientHeight) + AROUND);
    const rows = this.#rows.slice(from, to);
    // What has the focus keeps it, though it is scrolled away.
    const focused = this.#indexOf(document.activeElement);
    if (focused >= 0 && (focused < from || focused >= to)) rows.push(this.#rows[focused]);
    /** @type {Set<string>} */
    const logs = new Set();
    /** @type {Set<string>} */
    const heads = new Set();
    for (const { top, head, log } of rows) {
      if (log === null) this.#placeHead(head, top);
      else this.#drawLog(log, top, state, manner);
      (log === null ? heads : logs).add(log?.name ?? head);
    }
    for (const [name, { item }] of this.#entries) if (!logs.has(name)) item.remove();
    for (const [name, item] of this.#heads) if (!heads.has(name)) item.remove();
    for (const name of [...this.#entries.keys()]) if (!logs.has(name)) this.#entries.delete(name);
    for (const name of [...this.#heads.keys()]) if (!heads.has(name)) this.#heads.delete(name);
  }

  /**
   * @param {string} group
   * @param {number} top
   */
  #placeHead(group, top) {
    let head = this.#heads.get(group);
    if (head === undefined) {
      head = document.createElement('li');
      head.className = 'head';
      head.append(make('h2', '', group));
      this.#heads.set(group, head);
      this.list.append(head);
    }
    head.style.top = `${top}px`;
  }

  /**
   * @param {Log} log
   * @param {number} top
   * @param {import('./state.js').State} state
   * @param {Manner} manner
   */
  #drawLog(log, top, state, { words, language, now }) {
    let entry = this.#entries.get(log.name);
    if (entry === undefined) {
      entry = buildEntry(log.name);
      this.#entries.set(log.name, entry);
      this.list.append(entry.item);
    }
    entry.item.style.top = `${top}px`;
    if (log.name === state.log) entry.link.setAttribute('aria-current', 'page');
    else entry.link.removeAttribute('aria-current');
    const fresh = log.state === 'ok' && log.modified !== null && now - log.modified < FRESH;
    entry.link.dataset.state = fresh ? 'fresh' : log.state;
    if (entry.link.dataset.kind !== log.kind) markKind(entry.link, log.kind);
    const missing = log.kind === 'job' ? words.never : words.stateMissing;
    const meaning = { ok: words.stateOk, missing, refused: words.stateRefused }[log.state];
    const kind = { job: words.job, room: words.room }[log.kind];
    say(entry.state, kind === undefined ? meaning : `${kind}, ${meaning}`);
    say(entry.facts, log.state === 'ok' ? (log.size === null ? '' : bytes(log.size, language)) : meaning);
    tell(entry.viewers, log.viewers > 0 ? count(log.viewers, language) : '');
    entry.viewers.title = words.viewers(count(log.viewers, language), log.viewers);
    entry.link.title = log.why === '' ? log.name : `${log.name}: ${reason(log.why, language)}`;
  }

  /**
   * The row at a height.
   * @param {number} y
   */
  #rowAt(y) {
    let [low, high] = [0, this.#rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#rows[middle].top < y) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @param {Element | null} element */
  #indexOf(element) {
    const name = element instanceof HTMLAnchorElement ? element.dataset.log : undefined;
    return name === undefined ? -1 : this.#rows.findIndex(({ log }) => log?.name === name);
  }

  /**
   * Brings a row into sight.
   * @param {number} index
   */
  #lead(index) {
    const { top, log } = this.#rows[index];
    const end = this.#rows[index + 1]?.top ?? this.#height;
    const { scrollTop, clientHeight } = this.nav;
    if (top < scrollTop) this.nav.scrollTop = top;
    else if (end > scrollTop + clientHeight) this.nav.scrollTop = end - clientHeight;
    this.#redraw();
    return log === null ? undefined : this.#entries.get(log.name)?.link;
  }

  /**
   * Arrow keys walk through the list, as in any list.
   * @param {KeyboardEvent} event
   */
  #step(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const at = this.#indexOf(document.activeElement);
    /** @type {Record<string, [number, 1 | -1]>} where to look for the next log, and which way */
    const ways = { ArrowDown: [at + 1, 1], ArrowUp: [at - 1, -1], Home: [0, 1], End: [this.#rows.length - 1, -1] };
    const way = Object.hasOwn(ways, event.key) ? ways[event.key] : undefined;
    if (at < 0 || way === undefined) return;
    event.preventDefault();
    let [to, step] = way;
    while (this.#rows[to]?.log === null) to += step;
    if (to < 0) this.search.focus();
    else if (to < this.#rows.length) this.#lead(to)?.focus({ preventScroll: true });
  }
}

/**
 * The logs that have all the words of the search in their names.
 * @param {Log[]} logs
 * @param {string} search
 */
function found(logs, search) {
  const wanted = search
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  if (wanted.length === 0) return logs;
  return logs.filter(({ name }) => {
    const lower = name.toLowerCase();
    return wanted.every((word) => lower.includes(word));
  });
}

/**
 * What there is to be said beside the logs, or instead.
 * @param {import('./state.js').Listing} listing
 * @param {number} shown
 * @param {import('./i18n.js').Words} words
 */
function noteOf(listing, shown, words) {
  if (listing.kind === 'refused') return words.listRefused;
  if (listing.kind === 'unreachable') return words.listUnreachable;
  if (listing.kind === 'loading') return words.loading;
  if (shown > 0) return '';
  return listing.logs.length > 0 ? words.noMatch : words.noLogs;
}

/** What is more than a log has a picture. @type {ReadonlyMap<string, string>} */
const PICTURES = new Map([
  ['job', 'i-start'],
  ['room', 'i-room'],
]);

/**
 * @param {HTMLAnchorElement} link
 * @param {string} kind
 */
function markKind(link, kind) {
  link.dataset.kind = kind;
  link.querySelector('svg')?.remove();
  const picture = PICTURES.get(kind);
  if (picture !== undefined) link.querySelector('.label')?.append(icon(picture));
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
