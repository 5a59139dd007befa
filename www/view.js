/**
 * The page around the log: bar, list of logs, empty states, status, settings and help. `draw` may be called at any
 * time and as often as one likes; it puts on the screen what it is given and remembers nothing of its own.
 *
 * What the reader does is handed on as an {@link Act}; what follows from that is not decided here.
 */

import { byId, make, say, tell } from './elements.js';
import { bytes, count, rate, reason, saysAbsent, TAGS, WORDS } from './i18n.js';
import { SHEET } from './keys.js';
import { Sidebar } from './sidebar.js';
import { answers, sticks, status } from './state.js';
import { offsetIn } from './wire.js';

/**
 * @typedef {{ act: 'find' | 'filter' | 'goto' | 'websocket' }
 *   | { act: 'connection' | 'pause' | 'follow' | 'end' | 'wrap' | 'smaller' | 'larger' | 'numbers' | 'sidebar' }
 *   | { act: 'theme', value: string } | { act: 'language', value: string }} Act
 */

/**
 * @typedef {object} Scene
 * @property {import('./state.js').State} state
 * @property {import('./settings.js').Settings} settings
 * @property {import('./i18n.js').Language} language
 * @property {boolean} wrap
 * @property {number} rate lines per second
 * @property {number} now
 * @property {{ lines: number, first: number, end: number, letGo: number }} held what the window holds
 * @property {'start' | 'loading' | 'more' | 'refused' | 'unknown'} above what lies before it
 * @property {string} doing what the server does to get at it, or why it does not
 */

/** On narrower screens the list of logs is a drawer; style.css says the same. */
const NARROW = matchMedia('(max-width: 760px)');

export class View {
  /** @type {import('./i18n.js').Language | null} */
  #language = null;
  #drawer = false;
  /** Whether the list of logs is all there is to be seen: on a narrow screen, until a log is chosen. */
  #choosing = false;

  /** @param {(act: Act) => void} act */
  constructor(act) {
    this.act = act;
    this.search = /** @type {HTMLInputElement} */ (byId('logs-search'));
    this.sidebar = new Sidebar(byId('logs'), this.search, byId('logs-note'));
    this.settings = /** @type {HTMLDialogElement} */ (byId('settings'));
    this.help = /** @type {HTMLDialogElement} */ (byId('help'));
    this.#wireButtons();
    this.#wireDrawer();
    for (const dialog of [this.settings, this.help]) {
      dialog.addEventListener('click', (event) => {
        // The dialog's own box is filled by its form: a click on itself is one on the backdrop.
        if (event.target === dialog) dialog.close();
      });
    }
  }

  /** @param {Scene} scene */
  draw(scene) {
    const words = WORDS[scene.language];
    if (scene.language !== this.#language) this.#speak(scene.language);
    this.sidebar.draw(scene.state, { words, language: scene.language, now: scene.now });
    this.#choose(scene.state.log === null && scene.state.listing.kind !== 'loading');
    this.#drawBar(scene);
    this.#drawEmpty(scene);
    this.#drawStatus(scene);
    this.#drawSettings(scene);
    say(byId('server'), scene.state.listing.server);
    byId('app').classList.toggle('narrowed', !scene.settings.sidebar);
    const { state } = scene;
    const news = state.hidden && state.away > 0 ? `(${count(state.away, scene.language)}) ` : '';
    document.title = `${news}${state.log === null ? '' : `${state.log} · `}wiretail`;
  }

  /** Leads to the search of the list of logs, opening the list if it has to. */
  openLogs() {
    if (NARROW.matches) this.#setDrawer(true);
    else if (byId('app').classList.contains('narrowed')) {
      this.act({ act: 'sidebar' });
      byId('app').classList.remove('narrowed');
    }
    // At once: whoever types on writes into the search. A waiting frame would let keys through to the log, and while
    // a log pours, frames are long.
    this.search.focus();
    this.search.select();
    // A drawer that slides in takes the focus only when it is to be seen.
    if (document.activeElement !== this.search) requestAnimationFrame(() => this.search.focus());
  }

  openHelp() {
    this.help.showModal();
  }

  /** Leaves the search or the drawer; dialogs close by themselves. */
  escape() {
    if (document.activeElement === this.search) {
      this.search.value = '';
      this.search.dispatchEvent(new Event('input'));
    }
    this.#setDrawer(false);
    byId('lines').focus({ preventScroll: true });
  }

  /** A log was chosen: the reader wants to see it. */
  showLog() {
    this.#setDrawer(false);
    byId('lines').focus({ preventScroll: true });
  }

  /** Whether a dialog is open, to which all keys belong. */
  get busy() {
    return document.querySelector('dialog[open]') !== null;
  }

  #wireButtons() {
    for (const id of /** @type {const} */ (['pause', 'follow', 'wrap', 'smaller', 'larger'])) {
      byId(id).addEventListener('click', () => this.act({ act: id }));
    }
    for (const act of /** @type {const} */ (['find', 'filter', 'goto'])) {
      byId(`${act}-open`).addEventListener('click', () => this.act({ act }));
    }
    // In one place, and only one of them is to be seen.
    for (const id of ['connect', 'disconnect']) {
      byId(id).addEventListener('click', () => this.act({ act: 'connection' }));
    }
    byId('way').addEventListener('click', () => this.act({ act: 'websocket' }));
    byId('pill').addEventListener('click', () => this.act({ act: 'end' }));
    byId('wrap-box').addEventListener('change', () => this.act({ act: 'wrap' }));
    byId('numbers-box').addEventListener('change', () => this.act({ act: 'numbers' }));
    byId('settings-open').addEventListener('click', () => this.settings.showModal());
    byId('help-open').addEventListener('click', () => this.openHelp());
    byId('banner-close').addEventListener('click', () => byId('banner').remove());
    this.settings.addEventListener('change', (event) => {
      const input = event.target;
      if (!(input instanceof HTMLInputElement) || input.type !== 'radio') return;
      this.act({ act: input.name === 'theme' ? 'theme' : 'language', value: input.value });
    });
  }

  #wireDrawer() {
    byId('drawer-open').addEventListener('click', () => {
      if (NARROW.matches) this.#setDrawer(true);
      else this.act({ act: 'sidebar' });
    });
    byId('drawer-close').addEventListener('click', () => this.#setDrawer(false));
    byId('scrim').addEventListener('click', () => this.#setDrawer(false));
    NARROW.addEventListener('change', () => {
      this.#choosing = false;
      this.#setDrawer(false);
    });
    this.#setDrawer(false);
  }

  /**
   * Where there is room for one thing, a list of logs is what one begins with.
   * @param {boolean} none whether no log is chosen
   */
  #choose(none) {
    const choosing = none && NARROW.matches;
    if (choosing === this.#choosing) return;
    this.#choosing = choosing;
    this.#setDrawer(false);
  }

  /** @param {boolean} open */
  #setDrawer(open) {
    const app = byId('app');
    const was = this.#drawer;
    this.#drawer = open;
    app.classList.toggle('drawer', open);
    app.classList.toggle('choosing', this.#choosing);
    byId('scrim').hidden = !open;
    // What cannot be seen cannot be reached by keys either, and beneath an open drawer nothing can.
    byId('sidebar').inert = NARROW.matches && !open && !this.#choosing;
    byId('main').inert = open;
    if (open) byId('drawer-close').focus();
    else if (was) byId('drawer-open').focus();
  }

  /**
   * Says everything that does not change in `language`.
   * @param {import('./i18n.js').Language} language
   */
  #speak(language) {
    this.#language = language;
    const words = WORDS[language];
    document.documentElement.lang = TAGS[language];
    /** @param {string} key */
    const word = (key) => String(words[/** @type {keyof typeof words} */ (key)]);
    for (const element of document.querySelectorAll('[data-text], [data-label], [data-title], [data-placeholder]')) {
      if (!(element instanceof HTMLElement)) continue;
      const { text, label, title, placeholder } = element.dataset;
      if (text !== undefined) element.textContent = word(text);
      if (label !== undefined) element.ariaLabel = word(label);
      if (title !== undefined) element.title = word(title);
      if (placeholder !== undefined) /** @type {HTMLInputElement} */ (element).placeholder = word(placeholder);
    }
    byId('keys').replaceChildren(
      ...SHEET.flatMap(([keys, meaning]) => {
        const term = make('dt');
        term.append(...keys.map((key) => make('kbd', '', key)));
        return [term, make('dd', '', words[meaning])];
      }),
    );
  }

  /** @param {Scene} scene */
  #drawBar({ state, language, wrap }) {
    const words = WORDS[language];
    // The list of logs has the name itself, but where it is all there is to be seen.
    const name = state.log ?? (this.#choosing ? words.title : '');
    const slash = name.lastIndexOf('/') + 1;
    const [folder, file] = byId('name').children;
    say(/** @type {HTMLElement} */ (folder), name.slice(0, slash));
    say(/** @type {HTMLElement} */ (file), name.slice(slash));
    byId('name').title = name;
    swap(byId('connect'), byId('disconnect'), state.log !== null && !state.running, state.running);
    const pause = byId('pause');
    pause.hidden = !state.running;
    pause.classList.toggle('on', state.paused);
    const label = state.paused ? words.resume : words.pause;
    pause.ariaLabel = label;
    say(/** @type {HTMLElement} */ (pause.querySelector('span')), label);
    pause.querySelector('use')?.setAttribute('href', state.paused ? '#i-start' : '#i-pause');
    const follow = byId('follow');
    follow.hidden = state.log === null;
    follow.ariaPressed = String(state.follow);
    for (const act of ['find', 'filter', 'goto']) byId(`${act}-open`).hidden = !answers(state);
    byId('wrap').ariaPressed = String(wrap);
    const banner = document.getElementById('banner');
    if (banner !== null) banner.hidden = !state.listing.demo || state.log === null;
    const pill = byId('pill');
    pill.hidden = sticks(state) || state.log === null || (state.follow && state.below === 0);
    const toEnd = state.past ? words.toLive : words.toEnd;
    const text = state.below > 0 ? words.newLines(count(state.below, language), state.below) : toEnd;
    say(/** @type {HTMLElement} */ (pill.querySelector('span')), text);
  }

  /** @param {Scene} scene */
  #drawEmpty({ state, language, held }) {
    const words = WORDS[language];
    const { kind, cause, why } = status(state);
    /** @type {[string, string, string] | null} */
    let said = null;
    if (state.log === null) {
      const { listing } = state;
      if (listing.kind === 'known' && listing.logs.length === 0) said = [words.noLogs, words.noLogsText, ''];
      else if (listing.kind === 'unreachable') said = [words.unreachable, words.listUnreachable, ''];
      else if (listing.kind === 'refused') said = [words.refused, words.listRefused, ''];
      else if (listing.kind === 'known') said = [words.choose, words.chooseText, ''];
    } else if (held.end === held.first) {
      const listed = state.listing.logs.find((log) => log.name === state.log);
      if (state.missing !== null && !saysAbsent(state.missing)) {
        said = [words.unreadable, words.unreadableText, reason(state.missing, language)];
      } else if (state.missing !== null && listed?.kind === 'job') said = [words.never, words.jobNeverText, ''];
      else if (state.missing !== null) said = [words.notThere, words.notThereText, reason(state.missing, language)];
      else if (kind === 'refused' && cause === 'unlisted') said = [words.notThere, words.notThereText, words.unlisted];
      else if (kind === 'refused')
        said = [words.refused, words.refusedText, cause === '' ? reason(why, language) : words[cause]];
      else if (state.link.kind === 'open' && isEmpty(state)) {
        said = [words.nothingYet, words.nothingYetText, ''];
      }
    }
    const empty = byId('empty');
    empty.hidden = said === null;
    if (said === null) return;
    for (const [i, text] of said.entries()) say(/** @type {HTMLElement} */ (empty.children[i]), text);
  }

  /** @param {Scene} scene */
  #drawStatus(scene) {
    const { state, language, held } = scene;
    const words = WORDS[language];
    const { kind, why, cause, until } = status(state);
    const connection = byId('connection');
    connection.dataset.state = kind;
    const [, label, detail] = /** @type {HTMLElement[]} */ ([...connection.children]);
    say(label, words[kind]);
    const seconds = until === null ? 0 : Math.max(0, Math.ceil((until - scene.now) / 1000));
    const told = reason(why, language);
    const parts = [cause === '' ? '' : words[cause], told, seconds > 0 ? words.retryIn(count(seconds, language)) : ''];
    const said = parts.filter((part) => part !== '').join(' · ');
    const hint = { full: words.fullHint, past: words.pastHint, never: words.neverHint }[String(kind)];
    say(detail, hint ?? said);
    connection.title = detail.textContent ?? '';
    // What is announced does not count down.
    say(byId('announce'), [words[kind], ...parts.slice(0, 2)].filter((part) => part !== '').join(', '));
    tell(byId('way'), { websocket: '', events: words.wayEvents, polls: words.wayPolls }[state.way]);
    tell(byId('lag'), state.running && state.behind > 0 ? words.behind(bytes(state.behind, language)) : '');
    tell(
      byId('rate'),
      state.running && state.link.kind === 'open' ? words.perSecond(rate(scene.rate, language), scene.rate) : '',
    );
    // What the last server said of another log says nothing of one that was not reached yet.
    const known = state.cursor === null ? null : state.able;
    tell(byId('masked'), known?.redacted ? words.maskedNote : '');
    tell(byId('encoding'), known?.encoding ?? '');
    const offset = state.cursor === null || state.past ? null : offsetIn(state.cursor);
    tell(byId('offset'), offset === null ? '' : words.offset(count(offset, language)));
    byId('offset').title = `${words.offsetHint} ${state.cursor ?? ''}`;
    tell(byId('kept'), held.end === held.first ? '' : words.kept(count(held.lines, language), held.lines));
  }

  /** @param {Scene} scene */
  #drawSettings({ settings, wrap }) {
    say(byId('size'), `${settings.size}`);
    /** @type {HTMLInputElement} */ (byId('wrap-box')).checked = wrap;
    /** @type {HTMLInputElement} */ (byId('numbers-box')).checked = settings.numbers;
    for (const input of /** @type {NodeListOf<HTMLInputElement>} */ (this.settings.querySelectorAll('[type=radio]'))) {
      input.checked = input.value === (input.name === 'theme' ? settings.theme : settings.language);
    }
  }
}

/**
 * Whether nothing was written yet.
 * @param {import('./state.js').State} state
 */
function isEmpty({ behind, size }) {
  return behind === 0 && (size ?? 0) === 0;
}

/**
 * What lies before the first row held.
 * @param {Scene} scene
 * @returns {string}
 */
export function beganText({ state, language, held, above, doing }) {
  const words = WORDS[language];
  // The log was not reached yet, and is perhaps not there.
  if (state.cursor === null && held.end === held.first) return '';
  if (above === 'start' && held.end === held.first) return state.filter === null ? '' : words.beganNone;
  if (above === 'start') return words.beganStart;
  if (above === 'refused' && state.past) return doing;
  if (above !== 'unknown' && above !== 'refused') {
    if (doing !== '') return doing;
    if (above === 'loading') return words.beganLoading;
    return state.bounded ? words.beganBounded : words.beganMore;
  }
  if (held.end === held.first) return '';
  if (held.letGo > 0) return words.letGo(count(held.letGo, language), held.letGo);
  if (state.began === 0) return words.beganStart;
  // Fewer lines than were asked for, and yet not all: they are so long that the server stopped looking for more.
  if (state.asked > 0 && state.had >= state.asked) return words.beganAt(count(state.asked, language));
  return state.began === null ? '' : words.beganHere(count(state.began, language));
}

/**
 * Shows one of two buttons in the same place; the focus stays in the place.
 * @param {HTMLElement} a
 * @param {HTMLElement} b
 * @param {boolean} showA
 * @param {boolean} showB
 */
function swap(a, b, showA, showB) {
  const focused = document.activeElement === a || document.activeElement === b;
  a.hidden = !showA;
  b.hidden = !showB;
  if (focused && (showA || showB)) (showA ? a : b).focus();
}
