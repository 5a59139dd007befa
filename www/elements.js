/**
 * The few things that everything that draws needs of the document. Text gets in through `textContent` only.
 */

/**
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @returns {T}
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`index.html has no #${id}`);
  return /** @type {T} */ (element);
}

/**
 * @param {string} tag
 * @param {string} name of its class
 * @param {string} text
 */
export function make(tag, name = '', text = '') {
  const element = document.createElement(tag);
  if (name !== '') element.className = name;
  if (text !== '') element.textContent = text;
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';

/**
 * One of the symbols of index.html.
 * @param {string} id
 */
export function icon(id) {
  const svg = document.createElementNS(SVG, 'svg');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `#${id}`);
  svg.setAttribute('aria-hidden', 'true');
  svg.append(use);
  return svg;
}

/**
 * Says `text`, unless that is what it says already: an element that is not touched costs nothing.
 * @param {HTMLElement} element
 * @param {string} text
 */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Shows an element that says something, or hides it when there is nothing to be said.
 * @param {HTMLElement} element
 * @param {string} text
 */
export function tell(element, text) {
  element.hidden = text === '';
  say(element, text);
}

/**
 * The three switches that say how patterns are meant.
 * @param {string} prefix of their ids
 * @param {() => import('./filter.js').Manner} get
 * @param {(manner: import('./filter.js').Manner) => void} set
 * @returns {() => void} brings them in line
 */
export function mannerSwitches(prefix, get, set) {
  const names = /** @type {const} */ (['exactCase', 'words', 'regex']);
  const buttons = names.map((name) => byId(`${prefix}-${name}`));
  for (const [i, button] of buttons.entries()) {
    button.addEventListener('click', () => set({ ...get(), [names[i]]: !get()[names[i]] }));
  }
  return () => {
    const manner = get();
    for (const [i, button] of buttons.entries()) button.ariaPressed = String(manner[names[i]]);
  };
}

/**
 * Where a key was pressed.
 * @param {EventTarget | null} target
 * @returns {import('./keys.js').Focus}
 */
export function focusOf(target) {
  if (!(target instanceof HTMLElement)) return 'page';
  if (target.isContentEditable || target.matches('input, textarea, select')) return 'typing';
  return target.matches('a, button, [role=button], summary') ? 'control' : 'page';
}
