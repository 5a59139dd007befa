/**
 * Where one wanted to go may have had a fragment (`#/app.log`), which no server is told: the browser keeps it in the address
 * of the login, and here it is put into the form. Without scripts one comes to the list instead.
 *
 * And who came by a link on another site's page may be logged in all the same: for such a link the browser keeps the cookie
 * back, but not for what is asked for from here.
 */

const next = /** @type {HTMLInputElement} */ (document.querySelector('#next'));
const other = /** @type {HTMLAnchorElement} */ (document.querySelector('#other'));

if (location.hash !== '' && !next.value.includes('#')) {
  next.value += location.hash;
  other.hash = location.hash;
}

/** Whether the server knows who asks; else it leads to this page again. */
async function isKnown() {
  try {
    const answer = await fetch('index.html', { method: 'HEAD', redirect: 'manual', cache: 'no-store' });
    return answer.ok;
  } catch {
    return false;
  }
}

// Who was sent here from a page; not who wants to log in as somebody else, nor whose session is over.
const query = new URLSearchParams(location.search);
if (query.has('next') && !query.has('why')) {
  isKnown().then((known) => {
    if (known) location.replace(next.value);
  });
}
