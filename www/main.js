/**
 * The page's wiring: what comes from the server and from the reader becomes an event, `state.js` says what is known
 * then, and socket, list and view are brought in line with it. Nothing is decided here.
 */

import { CatalogueReader } from './catalogue.js';
import { byId } from './elements.js';
import { filterIn, filterQuery, patternsOf, patternsQuery, samePatterns } from './filter.js';
import { FilterBar } from './filterbar.js';
import { Filtering } from './filtering.js';
import { Finder } from './finder.js';
import { GotoBox } from './gotobox.js';
import { doingText, translated, WORDS } from './i18n.js';
import { JobBar } from './jobbar.js';
import { JobWatch } from './jobs.js';
import { Keyboard } from './keyboard.js';
import { Likes } from './likes.js';
import { LineLink } from './linelink.js';
import { LineWindow } from './lines.js';
import { LineList } from './list.js';
import { Meter } from './meter.js';
import { Reader } from './reader.js';
import { Requests } from './requests.js';
import { hashFor, logIn, queryIn, streamUrl } from './route.js';
import { SayBox } from './saybox.js';
import { Searching } from './searching.js';
import { Socket } from './socket.js';
import { answers, next, START, sticks, wish } from './state.js';
import { toast } from './toast.js';
import { UserBar } from './user.js';
import { beganText, View } from './view.js';
import { read, readJob } from './wire.js';

/** What comes so soon after `hello` are the lines that were there already; they are not counted as a rate. */
const BACKLOG = 1_000;

let state = START;
let drawing = false;
/** Whether the reader has gone elsewhere, though the page may come back. */
let left = false;
let greetedAt = 0;
/** The line that the address leads to. @type {string | null} */
let at = null;
/** What the list says of the log that is looked at. @type {import('./wire.js').Log | null} */
let looked = null;
const lines = new LineWindow();
const meter = new Meter();
const socket = new Socket({
  connecting: (way) => {
    requests.lose();
    dispatch({ type: 'connecting', way });
  },
  message: hear,
  waiting: (loss) => {
    requests.lose();
    dispatch({ type: 'waiting', ...loss });
    catalogue.ask();
  },
});
const requests = new Requests((ask) => socket.ask(ask));
const catalogue = new CatalogueReader(
  (event) => {
    dispatch(event);
    if (event.type !== 'listing') return;
    if (event.catalogue.logs.some((log) => log.name === state.log)) socket.reached();
    chooseByItself();
  },
  () => userBar.logIn(),
  () => !document.hidden && state.way === 'websocket' && !left,
);
const userBar = new UserBar();
const likes = new Likes(restyle);
const view = new View(act);
const list = new LineList(byId('lines'), lines, (on) => dispatch({ type: 'follow', on }), schedule);
const reader = new Reader(lines, requests, {
  detach: () => dispatch({ type: 'past' }),
  attach: (cursor) => dispatch({ type: 'join', cursor, follow: lines.end === lines.first }),
  show: (id, goal) => list.show(id, goal),
  fail: (why) => {
    toast(why === null ? WORDS[likes.language].linkGone : translated(why, likes.language));
    // A link that leads nowhere: there is nothing to be shown instead of it but the end.
    if (state.past && lines.back === null) goLive();
  },
  hidden: () => toast(WORDS[likes.language].hitHidden),
  changed: schedule,
});
const searching = new Searching(requests, schedule);
const finder = new Finder(searching, {
  // Who follows stands at the end.
  from: () => (sticks(state) ? null : lines.cursorNear(list.top.id)),
  jump: (hit) => reader.land(hit.cursor, { below: null, found: true, text: hit.text }, hit.line),
  go: (percent) => reader.goTo({ percent }),
  changed: schedule,
  opens,
  leave: () => view.showLog(),
});
const filtering = new Filtering(requests, {
  state: () => ({ ready: state.link.kind === 'open' && answers(state), applied: state.filter }),
  place: standing,
  apply: applyFilter,
  changed: () => {
    settleAddress();
    schedule();
  },
  after: (run, ms) => setTimeout(run, ms),
});
const filterBar = new FilterBar(filtering, {
  changed: schedule,
  opens,
  leave: () => view.showLog(),
});
const jobs = new JobWatch(readJob, schedule);
const jobBar = new JobBar(jobs, {
  started: goLive,
  go: (cursor) => reader.land(cursor, { below: 0, found: true }, null),
});
const sayBox = new SayBox(likes, goLive);
const gotoBox = new GotoBox(goTo, () => view.showLog());
const lineLink = new LineLink(byId('lines'), linkTo);
list.mark((text) => searching.marksIn(text));
new Keyboard({ act, view, list, finder, filterBar, able: () => answers(state), toStart, link: linkTo });

/** On a narrow screen there is room for one strip. @param {import('./strip.js').Strip} strip */
function opens(strip) {
  if (!likes.narrow) return;
  for (const other of [finder, filterBar]) if (other !== strip) other.fold();
}

/** @param {import('./state.js').PageEvent} event */
function dispatch(event) {
  const before = state;
  state = next(state, event);
  if (state.reading !== before.reading) {
    lines.clear();
    reader.begin();
    meter.reset();
    list.unfind();
  }
  if (state.able?.redacted !== before.able?.redacted) restyle();
  if (state.listing !== before.listing || state.log !== before.log) lookAt();
  settle();
  schedule();
}

/** Looks up in the list which log it is that is looked at. */
function lookAt() {
  const was = looked?.kind;
  looked = state.listing.logs.find(({ name }) => name === state.log) ?? null;
  if (looked?.kind !== was) restyle();
}

/** Lets go of old lines if that is allowed, and tells socket and server what is wanted now. */
function settle() {
  if (sticks(state)) lines.trim();
  state = next(state, { type: 'room', room: lines.overfull ? 'overfull' : lines.full ? 'full' : 'plenty' });
  const { connected, held } = wish(state);
  const log = state.log;
  const url = () => streamUrl(location.href, log ?? '', streamQuery());
  socket.update(connected && log !== null && !left ? { key: String(state.session), url, held } : null);
  filtering.apply();
}

/** Where the stream begins, and what is shown of it. */
function streamQuery() {
  const query = patternsQuery(state.filter);
  // Who reads the past, or waits for a filter, has no use for the last lines.
  if (state.past || !samePatterns(patternsOf(filtering.filter), state.filter)) query.append('lines', '0');
  else if (state.cursor !== null) query.append('from', state.cursor);
  return query;
}

/** @param {string} data */
function hear(data) {
  const message = read(data);
  if (requests.hear(message)) return;
  const started = message.kind === 'hello' ? 0 : take(message);
  dispatch({ type: 'message', message, started });
  if (message.kind === 'hello') greet(message);
}

/**
 * Puts what the stream says into the window, if it is the window's end that it goes on at.
 * @param {import('./wire.js').Message} message
 * @returns {number} how many lines began with it
 */
function take(message) {
  if (message.kind === 'error' && state.past) toast(translated(message, likes.language));
  if (message.kind === 'unknown') console.warn('wiretail: a message this page does not know:', message.name);
  if (state.past) return 0;
  switch (message.kind) {
    case 'lines': {
      const started = lines.append(message.text, message.to || null);
      if (Date.now() - greetedAt > BACKLOG) meter.add(started, Date.now());
      return started;
    }
    case 'back':
      if (lines.end > lines.first) lines.mark({ kind: 'back' });
      break;
    case 'rotated':
    case 'truncated':
      lines.mark({ kind: message.kind }, message.cursor || null);
      break;
    case 'end':
      lines.mark({ kind: 'end' });
      break;
    case 'error':
      lines.mark({ kind: 'error', why: { code: message.code, message: message.message } });
      break;
    case 'gap':
      lines.mark({ kind: 'gap', bytes: message.bytes, why: message.why }, message.to || null);
      break;
    case 'missing':
      // A log that was never there is said so in the empty page, and again by every new connection.
      if (lines.end > lines.first && state.missing === null) lines.mark({ kind: 'missing', why: message.why });
      break;
  }
  return 0;
}

/** @param {Extract<import('./wire.js').Message, { kind: 'hello' }>} hello */
function greet(hello) {
  greetedAt = Date.now();
  if (lines.back === null && !state.past) lines.clear(hello.cursor || null);
  // The server does not filter, whatever it was asked.
  if (state.filter !== null && !hello.filter) dispatch({ type: 'filtered', filter: null, cursor: hello.cursor });
  if (state.past && lines.back === null) {
    if (at === null || !answers(state)) dispatch({ type: 'live' });
    else reader.land(at, { below: null, found: true }, null);
  }
}

/** Where the reader stands, if it is not the end: a filter must not lead away from there. */
async function standing() {
  if (sticks(state) || lines.end === lines.first || !answers(state)) return null;
  const { id, below } = list.top;
  const line = lines.lineFrom(id);
  const cursor = (await reader.locate(line)) ?? lines.cursorNear(line);
  return cursor === null ? null : { cursor, below: line === id ? below : 0 };
}

/**
 * @param {import('./wire.js').Patterns | null} filter
 * @param {string} cursor where the stream goes on under it
 * @param {import('./filtering.js').Place | null} place
 */
function applyFilter(filter, cursor, place) {
  dispatch({ type: 'filtered', filter, cursor });
  reader.counts = filter === null;
  if (place !== null) {
    dispatch({ type: 'past' });
    reader.land(place.cursor, { below: place.below, found: false }, null);
  } else if (!state.past) {
    lines.clear(cursor);
    reader.begin();
  } else if (at !== null) {
    reader.land(at, { below: null, found: true }, null);
  }
}

/**
 * @param {import('./gotobox.js').Place} place
 * @returns {Promise<import('./reader.js').Arrival>}
 */
async function goTo(place) {
  at = null;
  settleAddress();
  if (!('end' in place.to)) return reader.goTo(place.to);
  goLive();
  return { kind: 'there' };
}

/** To the end, and on from there. */
function goLive() {
  at = null;
  settleAddress();
  if (state.past) dispatch({ type: 'live' });
  else dispatch({ type: 'follow', on: true });
  // A paused page is not led by what comes, but goes where it is told.
  list.draw(true);
}

async function toStart() {
  const arrival = !answers(state) || reader.atStart ? null : await goTo({ to: { start: {} } });
  if (arrival?.kind !== 'there') list.toTop();
}

/** @param {number} row */
async function linkTo(row) {
  const words = WORDS[likes.language];
  const cursor = await reader.locate(row);
  if (cursor === null) return toast(words.linkFailed);
  at = cursor;
  settleAddress();
  try {
    await navigator.clipboard.writeText(location.href);
    toast(words.linkCopied);
  } catch {
    // Without a secure connection browsers have no clipboard.
    toast(words.linkInAddress);
  }
}

/** Makes the address say what is shown. */
function settleAddress() {
  if (state.log === null || logIn(location) !== state.log) return;
  const query = filterQuery(filtering.filter);
  if (at !== null) query.append('at', at);
  const hash = hashFor(state.log, query);
  if (hash !== location.hash) history.replaceState(null, '', hash);
}

/** @param {import('./view.js').Act} action */
function act(action) {
  switch (action.act) {
    case 'connection':
      dispatch({ type: state.running ? 'disconnect' : 'connect' });
      break;
    case 'pause':
      dispatch({ type: 'pause', on: !state.paused });
      break;
    case 'follow':
      if (state.past) goLive();
      else dispatch({ type: 'follow', on: !state.follow });
      break;
    case 'end':
      goLive();
      break;
    case 'find':
      finder.turn();
      break;
    case 'filter':
      filterBar.turn();
      break;
    case 'websocket':
      socket.tryWebSocket(() => toast(WORDS[likes.language].wayBlocked));
      break;
    case 'goto':
      gotoBox.open(likes.language);
      break;
    default:
      likes.act(action);
  }
}

function manner() {
  const { theme, language } = likes;
  const job = looked?.kind === 'job';
  return { theme, language, words: WORDS[language], redacted: state.able?.redacted ?? false, job };
}

/** Takes over the settings, and what the system says where they say "auto". */
function restyle() {
  document.documentElement.dataset.theme = likes.theme;
  const { size, numbers } = likes.settings;
  list.style({ wrap: likes.wrap, size, numbers }, manner());
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
  const held = { lines: lines.held, first: lines.first, end: lines.end, letGo: lines.letGo };
  const { settings, language, wrap } = likes;
  const able = answers(state);
  const above = able ? reader.above : 'unknown';
  const refused = reader.refused === null ? '' : translated(reader.refused, language);
  const doing = refused || doingText(reader.progress, WORDS[language]);
  /** @type {import('./view.js').Scene} */
  const scene = { state, settings, language, wrap, rate: meter.rate(now), now, held, above, doing };
  view.draw(scene);
  finder.draw(manner(), able);
  filterBar.draw(manner(), able);
  jobs.look(looked?.kind === 'job' ? looked.name : null, state.listing.version);
  jobBar.draw(manner(), now, able);
  sayBox.draw(looked?.writable ? looked.name : null, state.listing.user, manner());
  userBar.draw(state.listing.user, WORDS[language]);
  byId('lines').classList.toggle('linkable', able);
  list.began.textContent = beganText(scene);
  list.began.dataset.above = above;
  list.began.title = refused;
  gotoBox.draw(doing);
  list.draw(sticks(state));
  // The last lines come by themselves.
  const came = state.past || state.bytes >= state.backlog || now - greetedAt > BACKLOG;
  if (able && came && state.link.kind === 'open') {
    reader.reach(list.room, state.past, settings.numbers ? lines.lineFrom(list.top.id) : null);
  }
}

/** Where there is no choice, or nothing but the demo, the reader need not make one. */
function chooseByItself() {
  const { logs, demo } = state.listing;
  if (state.log !== null || location.hash !== '' || logs.length === 0 || (logs.length > 1 && !demo)) return;
  history.replaceState(null, '', hashFor(logs[0].name));
  followAddress();
}

/** Looks at the log that the address names, as it says. */
function followAddress() {
  const log = logIn(location);
  const query = queryIn(location);
  const line = query.get('at');
  const filter = filterIn(query);
  if (log === state.log) {
    if (!samePatterns(patternsOf(filter), patternsOf(filtering.filter))) filtering.set(filter);
    if (line !== at && line !== null) {
      at = line;
      reader.land(line, { below: null, found: true }, null);
    }
    return;
  }
  const first = state.reading === 0;
  at = line;
  filtering.begin(filter);
  searching.clear();
  reader.counts = true;
  lineLink.hide();
  dispatch({ type: 'choose', log, past: line !== null });
  // A page that was just opened leaves the focus where the browser puts it: no ring before a key was pressed.
  if (log !== null && !first) view.showLog();
}

function wake() {
  socket.wake();
  catalogue.ask();
}

document.addEventListener('visibilitychange', () => {
  dispatch({ type: 'hidden', on: document.hidden });
  if (!document.hidden) wake();
});
window.addEventListener('online', wake);
window.addEventListener('hashchange', followAddress);
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
  if (link === null || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (link.hash !== location.hash.split('?')[0]) return;
  event.preventDefault();
  at = null;
  dispatch({ type: 'choose', log: state.log, past: false });
  settleAddress();
  view.showLog();
});
// Countdowns and rates move without anything happening.
setInterval(() => {
  reader.refresh();
  catalogue.look();
  schedule();
}, 500);

restyle();
dispatch({ type: 'hidden', on: document.hidden });
followAddress();
catalogue.ask();
