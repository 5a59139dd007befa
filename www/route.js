/**
 * Addresses: which log the page's own address names, under which filter and from which line on, and where that log's
 * stream is.
 *
 * Everything is relative to the page, so that it works beneath whatever path a proxy puts it. A log's name is
 * slash-separated and percent-encoded per segment.
 */

/**
 * The log that the address names: `#/app/web.log`, or `?log=app/web.log` as a link from elsewhere may say it.
 * @param {{ hash: string, search: string }} location
 * @returns {string | null}
 */
export function logIn(location) {
  if (location.hash.startsWith('#/')) return decode(location.hash.slice(2).split('?')[0]) || null;
  return new URLSearchParams(location.search).get('log') || null;
}

/**
 * What the address says of how the log is read: `#/app.log?grep=x&literal=1&at=CURSOR`.
 * @param {{ hash: string }} location
 */
export function queryIn(location) {
  const at = location.hash.indexOf('?');
  return new URLSearchParams(at < 0 ? '' : location.hash.slice(at + 1));
}

/**
 * The part of an address that names the log, and how it is read.
 * @param {string} name
 * @param {URLSearchParams} query
 */
export function hashFor(name, query = new URLSearchParams()) {
  return `#/${encode(name)}${query.size === 0 ? '' : `?${query}`}`;
}

/**
 * Where the log's stream is, from the address of the page.
 * @param {string} page
 * @param {string} name
 * @param {URLSearchParams} query where it begins, and what is shown of it; empty for the last lines
 */
export function streamUrl(page, name, query) {
  const url = new URL(`tail/${encode(name)}`, page);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.hash = '';
  url.search = query.toString();
  return url.href;
}

/**
 * A name that is a dot segment cannot be asked for: browsers resolve `..` away, even when it is percent-encoded.
 * The server lists no such names.
 * @param {string} name
 */
export function encode(name) {
  return name.split('/').map(encodeURIComponent).join('/');
}

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
