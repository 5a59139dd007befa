/**
 * Carriage returns within a line, as progress bars write them: what follows one is written over what was there.
 *
 * A line's *states* are what lies between its returns. Shown is the last state that says anything: what one sees on a
 * terminal in the end. How many others there were is told beside it, and who wants to sees them all (`row.js`). A return
 * that writes over nothing, such as a second one at the end of a line, is not told.
 *
 * What a shorter state leaves standing of a longer one is not put together with it, as on a terminal: programs erase
 * it. And a line whose last state is blank shows the one before: nobody has to ask what an empty line hides.
 *
 * Knows text only; where it is in the log, and what is found in it, stays as it is.
 */

import { plainStart } from './ansi.js';

/**
 * What is shown of a line, and how many states that say something were written over.
 * @typedef {{ from: number, to: number, over: number }} Shown
 */

/**
 * @param {string} text
 * @param {number} lead so many characters at its beginning were not written by the program, and are not written over
 * @returns {Shown}
 */
export function lastState(text, lead = 0) {
  const end = text.length;
  if (!text.includes('\r', lead)) return { from: lead, to: end, over: 0 };
  const states = text.slice(lead).split('\r');
  const last = states.findLastIndex(says);
  if (last < 0) return { from: end, to: end, over: 0 };
  const before = states.slice(0, last);
  const from = before.reduce((sum, state) => sum + state.length + 1, lead);
  return { from, to: from + states[last].length, over: before.filter(says).length };
}

/**
 * What a line looks like, for measuring it.
 * @param {string} text
 */
export function shownText(text) {
  const { from, to } = lastState(text);
  return text.slice(from, to);
}

/**
 * The state that a match lies in; all states from the one it begins in to the one it ends in.
 * @param {string} text
 * @param {[number, number]} match
 * @returns {{ from: number, to: number }}
 */
export function stateOf(text, [from, to]) {
  const end = text.indexOf('\r', to);
  return { from: text.slice(0, from).lastIndexOf('\r') + 1, to: end < 0 ? text.length : end };
}

/**
 * Whether what was looked for in a line lies, or may lie, in what was written over.
 * @param {string} text
 * @param {[number, number][] | undefined} marks where it matches, if that is known
 * @param {boolean} found whether one was led to this line
 */
export function matchesOverwritten(text, marks, found) {
  if (!text.includes('\r')) return false;
  const { from } = lastState(text);
  return marks === undefined ? found : marks.some((mark) => mark[0] < from);
}

/** @param {string} state */
function says(state) {
  return plainStart(state, state.length).trim() !== '';
}
