/**
 * The page's wiring: what comes from the server and from the reader becomes an event, `state.js` says what is known
 * then, and socket, list and view are brought in line with it. Nothing is decided here.
 */

import { languageFor, WORDS } from './i18n.js';
import { commandFor } from './keys.js';
import { LineWindow } from './lines.js';
import { LineList } from './list.js';
import { Meter } from './meter.js';
import { hashFor, logIn, streamUrl } from './route.js';
import { readSettings, sizeFrom, STORED_AS } from './settings.js';
import { Socket } from './socket.js';
import { next, START, sticks, wish } from './state.js';
import { beganText, byId, View } from './view.js';
import { read, readCatalogue } from './wire.js';

/** How often the list of logs is asked for, while somebody looks. */
const LIST_EVERY = 4_000;

/** What comes so soon after `hello` are the lines that were there already; they are not counted as a rate. */
const BACKLOG = 1_000;

/** Screens narrower than this wrap lines unless told otherwise. */
const NARROW = matchMedia('(max-width: 760px)');
const LIGHT = matchMedia('(prefers-color-scheme: light)');

let state = START;
let settings = readSettings(stored());
let drawing = false;
/** Whether the reader has gone elsewhere, though the page may come back. */
let left = false;
let greetedAt = 0;
const lines = new LineWindow();
const meter = new Meter();
const socket = new Socket({
  connecting: () => dispatch({ type: 'connecting' }),
  message: hear,
  waiting: (loss) => {
    dispatch({ type: 'waiting', ...loss });
    askForLogs();
  },
});
const view = new View(act);
const list = new LineList(byId('lines'), lines, (on) => dispatch({ type: 'follow', on }), schedule);

/** @param {import('./state.js').PageEvent} event */
function dispatch(event) {
  const before = state;
  state = next(state, event);
  if (state.session !== before.session) {
    lines.clear();
    meter.reset();
  }
  settle();
  schedule();
}

/** Lets go of old lines if that is allowed, and tells the socket what is wanted now. */
function settle() {
  if (sticks(state)) lines.trim();
  state = next(state, { type: 'room', room: lines.overfull ? 'overfull' : lines.full ? 'full' : 'plenty' });
  const { connected, held } = wish(state);
  const log = state.log;
  const url = () => streamUrl(location.href, log ?? '', state.cursor);
  socket.update(connected && log !== null && !left ? { key: String(state.session), url, held } : null);
}

/** @param {string} data */
function hear(data) {
  const message = read(data);
  let started = 0;
  switch (message.kind) {
    case 'hello':
      greetedAt = Date.now();
      break;
    case 'lines':
      started = lines.append(message.text);
      if (Date.now() - greetedAt > BACKLOG) meter.add(started, Date.now());
      break;
    case 'back':
      if (lines.end > lines.first) lines.mark({ kind: 'back' });
      break;
    case 'rotated':
    case 'truncated':
    case 'end':
      lines.mark({ kind: message.kind });
      break;
    case 'gap':
      lines.mark({ kind: 'gap', bytes: message.bytes, why: message.why });
      break;
    case 'missing':
      // A log that was never there is said so in the empty page, and again by every new connection.
      if (lines.end > lines.first && state.missing === null) lines.mark({ kind: 'missing', why: message.why });
      break;
    case 'error':
      lines.mark({ kind: 'error', message: message.message });
      break;
    case 'unknown':
      console.warn('wiretail: a message this page does not know:', message.name);
  }
  dispatch({ type: 'message', message, started });
}

/** @param {import('./view.js').Act} action */
function act(action) {
  switch (action.act) {
    case 'start':
      dispatch({ type: 'start' });
      break;
    case 'stop':
      dispatch({ type: 'stop' });
      break;
    case 'pause':
      dispatch({ type: 'pause', on: !state.paused });
      break;
    case 'follow':
      dispatch({ type: 'follow', on: !state.follow });
      break;
    case 'end':
      dispatch({ type: 'follow', on: true });
      // A paused page is not led by what comes, but goes where it is told.
      list.draw(true);
      break;
    case 'wrap':
      change({ wrap: !wraps() });
      break;
    case 'numbers':
      change({ numbers: !settings.numbers });
      break;
    case 'sidebar':
      change({ sidebar: !settings.sidebar });
      break;
    case 'smaller':
      change({ size: sizeFrom(settings.size - 1) });
      break;
    case 'larger':
      change({ size: sizeFrom(settings.size + 1) });
      break;
    case 'theme':
      change({ theme: readSettings(JSON.stringify({ theme: action.value })).theme });
      break;
    case 'language':
      change({ language: readSettings(JSON.stringify({ language: action.value })).language });
      break;
  }
}

/** @param {Partial<import('./settings.js').Settings>} some */
function change(some) {
  settings = { ...settings, ...some };
  try {
    localStorage.setItem(STORED_AS, JSON.stringify(settings));
  } catch {
    // Without storage the choice holds as long as the page does.
  }
  restyle();
}

/** @returns {string | null} */
function stored() {
  try {
    return localStorage.getItem(STORED_AS);
  } catch {
    return null;
  }
}

function wraps() {
  return settings.wrap ?? NARROW.matches;
}

function language() {
  return languageFor(settings.language, navigator.languages);
}

/** Takes over the settings, and what the system says where they say "auto". */
function restyle() {
  const theme = settings.theme === 'auto' ? (LIGHT.matches ? 'light' : 'dark') : settings.theme;
  document.documentElement.dataset.theme = theme;
  const { size, numbers } = settings;
  list.style({ wrap: wraps(), size, numbers }, { theme, language: language(), words: WORDS[language()] });
  schedule();
}

/** Draws with the next frame, once, however much happens until then. */
function schedule() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    draw();
  });
}

function draw() {
  const now = Date.now();
  const held = { first: lines.first, end: lines.end, lines: lines.lines, letGo: lines.letGo };
  const scene = { state, settings, language: language(), wrap: wraps(), rate: meter.rate(now), now, held };
  view.draw(scene);
  list.began.textContent = beganText(scene);
  list.draw(sticks(state));
}

/** @param {KeyboardEvent} event */
function press(event) {
  if (event.defaultPrevented || view.busy) return;
  const command = commandFor(event, focusOf(event.target));
  if (command === null) return;
  event.preventDefault();
  switch (command) {
    case 'follow':
      act({ act: 'follow' });
      break;
    case 'pause':
      act({ act: 'pause' });
      break;
    case 'top':
      list.toTop();
      break;
    case 'end':
      act({ act: 'end' });
      break;
    case 'down':
      list.moveLines(1);
      break;
    case 'up':
      list.moveLines(-1);
      break;
    case 'pageDown':
      list.movePages(1);
      break;
    case 'pageUp':
      list.movePages(-1);
      break;
    case 'wrap':
      act({ act: 'wrap' });
      break;
    case 'search':
      view.openSearch();
      break;
    case 'help':
      view.openHelp();
      break;
    case 'escape':
      view.escape();
      break;
  }
}

/**
 * @param {EventTarget | null} target
 * @returns {import('./keys.js').Focus}
 */
function focusOf(target) {
  if (!(target instanceof HTMLElement)) return 'page';
  if (target.isContentEditable || target.matches('input, textarea, select')) return 'typing';
  return target.matches('a, button, [role=button], summary') ? 'control' : 'page';
}

let asking = false;

async function askForLogs() {
  if (asking) return;
  asking = true;
  try {
    const answer = await fetch('api/logs', { cache: 'no-store', signal: AbortSignal.timeout(10_000) });
    if (answer.ok) {
      const catalogue = readCatalogue(await answer.json());
      dispatch({ type: 'listing', catalogue });
      chooseByItself();
    } else {
      dispatch({ type: 'unlisted', refused: answer.status === 401 || answer.status === 403 });
    }
  } catch {
    dispatch({ type: 'unlisted', refused: false });
  } finally {
    asking = false;
  }
}

/** Where there is no choice, or nothing but the demo, the reader need not make one. */
function chooseByItself() {
  const { logs, demo } = state.listing;
  if (state.log !== null || location.hash !== '' || logs.length === 0 || (logs.length > 1 && !demo)) return;
  history.replaceState(null, '', hashFor(logs[0].name));
  goTo();
}

/** Looks at the log that the address names. */
function goTo() {
  const log = logIn(location);
  if (log === state.log) return;
  const first = state.session === 0;
  dispatch({ type: 'choose', log });
  // A page that was just opened leaves the focus where the browser puts it: no ring before a key was pressed.
  if (log !== null && !first) view.showLog();
}

function wake() {
  socket.wake();
  askForLogs();
}

document.addEventListener('keydown', press);
document.addEventListener('visibilitychange', () => {
  dispatch({ type: 'hidden', on: document.hidden });
  if (!document.hidden) wake();
});
window.addEventListener('online', wake);
window.addEventListener('hashchange', goTo);
// A page that goes to the back-forward cache must not keep its connection, nor open a new one when it is told behind
// `pagehide` that it is hidden now; it comes back as if it had slept.
window.addEventListener('pagehide', () => {
  left = true;
  settle();
});
window.addEventListener('pageshow', () => {
  left = false;
  settle();
});
byId('logs').addEventListener('click', (event) => {
  // The log that is shown already, chosen once more: from its last lines again.
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  if (link !== null && link.hash === location.hash && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    dispatch({ type: 'choose', log: state.log });
    view.showLog();
  }
});
LIGHT.addEventListener('change', restyle);
NARROW.addEventListener('change', restyle);
window.addEventListener('languagechange', restyle);
// Countdowns and rates move without anything happening.
setInterval(schedule, 500);
setInterval(() => {
  if (!document.hidden) askForLogs();
}, LIST_EVERY);

restyle();
dispatch({ type: 'hidden', on: document.hidden });
goTo();
askForLogs();
