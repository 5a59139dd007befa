/**
 * Keys and what they mean, as in less, lnav and klogg.
 *
 * Nothing is done while somebody types, and nothing that holds Ctrl, Alt or Meta: those belong to the browser.
 */

/**
 * @typedef {'follow' | 'pause' | 'connection' | 'top' | 'end' | 'down' | 'up' | 'pageDown' | 'pageUp' | 'wrap' | 'find' | 'nextHit'
 *   | 'previousHit' | 'filter' | 'goto' | 'link' | 'logs' | 'help' | 'escape'} Command
 */

/** @type {Readonly<Record<string, Command>>} */
const COMMANDS = {
  f: 'follow',
  F: 'follow',
  ' ': 'pause',
  c: 'connection',
  g: 'goto',
  Home: 'top',
  G: 'end',
  End: 'end',
  j: 'down',
  k: 'up',
  ArrowDown: 'down',
  ArrowUp: 'up',
  PageDown: 'pageDown',
  PageUp: 'pageUp',
  w: 'wrap',
  '/': 'find',
  n: 'nextHit',
  N: 'previousHit',
  '&': 'filter',
  y: 'link',
  l: 'logs',
  '?': 'help',
  Escape: 'escape',
};

/** Keys by which a focused button or link is worked. The list of logs takes its arrow keys before they come here. */
const WORKS_CONTROLS = new Set([' ']);

/**
 * Where the focus is: in a text field, on something that is worked by keys, or nowhere in particular.
 * @typedef {'typing' | 'control' | 'page'} Focus
 */

/**
 * @param {{ key: string, ctrlKey: boolean, altKey: boolean, metaKey: boolean, isComposing: boolean }} press
 * @param {Focus} focus
 * @returns {Command | null}
 */
export function commandFor(press, focus) {
  if (press.ctrlKey || press.altKey || press.metaKey || press.isComposing) return null;
  const command = Object.hasOwn(COMMANDS, press.key) ? COMMANDS[press.key] : null;
  if (focus === 'typing' && command !== 'escape') return null;
  if (focus === 'control' && WORKS_CONTROLS.has(press.key)) return null;
  return command;
}

/** The help sheet: keys, and the entry of `i18n.js` that says what they do. */
export const SHEET = /** @type {const} */ ([
  [['f'], 'keyFollow'],
  [['Space'], 'keyPause'],
  [['c'], 'keyConnect'],
  [['Home'], 'keyTop'],
  [['G', 'End'], 'keyEnd'],
  [['j', 'k', '↓', '↑'], 'keyLine'],
  [['PgDn', 'PgUp'], 'keyPage'],
  [['/'], 'keyFind'],
  [['n', 'N'], 'keyHit'],
  [['&'], 'keyFilter'],
  [['g'], 'keyGoto'],
  [['y'], 'keyLink'],
  [['w'], 'keyWrap'],
  [['l'], 'keyLogs'],
  [['?'], 'keyHelp'],
  [['Esc'], 'keyEscape'],
]);
