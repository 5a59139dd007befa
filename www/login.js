/**
 * Where one wanted to go may have had a fragment (`#/app.log`), which no server is told: the browser keeps it in the address
 * of the login, and here it is put into the form. Without scripts one comes to the list instead.
 */

const next = /** @type {HTMLInputElement} */ (document.querySelector('#next'));
const other = /** @type {HTMLAnchorElement} */ (document.querySelector('#other'));

if (location.hash !== '' && !next.value.includes('#')) {
  next.value += location.hash;
  other.hash = location.hash;
}
