/**
 * Does what keys mean; which key means what is in `keys.js`.
 */

import { byId, focusOf } from './elements.js';
import { commandFor } from './keys.js';

/**
 * @typedef {object} Desk what is worked by keys
 * @property {(act: import('./view.js').Act) => void} act
 * @property {import('./view.js').View} view
 * @property {import('./list.js').LineList} list
 * @property {import('./finder.js').Finder} finder
 * @property {import('./filterbar.js').FilterBar} filterBar
 * @property {() => boolean} able whether the server filters, searches and leads into the past
 * @property {() => void} toStart
 * @property {(row: number) => void} link
 */

export class Keyboard {
  /** @param {Desk} desk */
  constructor(desk) {
    this.desk = desk;
    document.addEventListener('keydown', (event) => this.#press(event));
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.defaultPrevented || this.desk.view.busy) return;
    const command = commandFor(event, focusOf(event.target));
    if (command === null) return;
    event.preventDefault();
    if (!this.#move(command)) this.#do(command);
  }

  /**
   * What leads through the lines.
   * @param {import('./keys.js').Command} command
   */
  #move(command) {
    const { list, toStart, act } = this.desk;
    switch (command) {
      case 'top':
        toStart();
        return true;
      case 'end':
        act({ act: 'end' });
        return true;
      case 'down':
      case 'up':
        list.moveLines(command === 'down' ? 1 : -1);
        return true;
      case 'pageDown':
      case 'pageUp':
        list.movePages(command === 'pageDown' ? 1 : -1);
        return true;
      default:
        return false;
    }
  }

  /** @param {import('./keys.js').Command} command */
  #do(command) {
    const { act, view, list, finder, filterBar, link } = this.desk;
    const able = this.desk.able();
    switch (command) {
      case 'follow':
      case 'pause':
      case 'connection':
      case 'wrap':
        act({ act: command });
        break;
      case 'find':
        if (able) finder.open();
        break;
      case 'nextHit':
      case 'previousHit':
        if (able) finder.step(command === 'nextHit' ? 1 : -1);
        break;
      case 'filter':
        if (able) filterBar.open();
        break;
      case 'goto':
        if (able) act({ act: 'goto' });
        break;
      case 'link':
        if (able) link(list.current);
        break;
      case 'logs':
        view.openLogs();
        break;
      case 'help':
        view.openHelp();
        break;
      case 'escape':
        if (finder.isOpen && document.activeElement !== byId('logs-search')) finder.close();
        else view.escape();
        break;
    }
  }
}
