/**
 * Who is logged in, and the ways out: by the button, and when the server does not know the page any more.
 */

import { byId, say } from './elements.js';
import { toast } from './toast.js';

export class UserBar {
  #words = '';
  /** The page is about to be left. */
  #leaving = false;

  constructor() {
    byId('log-out').addEventListener('click', () => this.#logOut());
  }

  /**
   * @param {string} user empty where there are no users
   * @param {import('./i18n.js').Words} words
   */
  draw(user, words) {
    this.#words = words.notDone;
    byId('user').hidden = user === '';
    say(byId('user-name'), user);
    byId('user-name').title = words.loggedInAs(user);
  }

  /** The server wants to know who asks; then the reader comes back to what is shown now. */
  logIn() {
    this.#leave('over');
  }

  async #logOut() {
    if (this.#leaving) return;
    // What the server closes for it is no news then.
    this.#leaving = true;
    try {
      await fetch('logout', { method: 'POST', redirect: 'manual' });
    } catch {
      this.#leaving = false;
      return toast(this.#words);
    }
    this.#leaving = false;
    this.#leave('out');
  }

  /** @param {'over' | 'out'} why */
  #leave(why) {
    if (this.#leaving) return;
    this.#leaving = true;
    const here = location.pathname + location.search + location.hash;
    location.assign(`login?why=${why}&next=${encodeURIComponent(here)}`);
  }
}
