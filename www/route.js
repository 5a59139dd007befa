/**
 * Addresses: which log the page's own address names, and where that log's stream is.
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
  if (location.hash.startsWith('#/')) return decode(location.hash.slice(2)) || null;
  return new URLSearchParams(location.search).get('log') || null;
}

/**
 * The part of an address that names the log.
 * @param {string} name
 */
export function hashFor(name) {
  return `#/${encode(name)}`;
}

/**
 * Where the log's stream is, from the address of the page.
 * @param {string} page
 * @param {string} name
 * @param {string | null} cursor where to go on; null for the last lines
 */
export function streamUrl(page, name, cursor) {
  const url = new URL(`tail/${encode(name)}`, page);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.hash = '';
  url.search = cursor === null ? '' : `?from=${encodeURIComponent(cursor)}`;
  return url.href;
}

/**
 * A name that is a dot segment cannot be asked for: browsers resolve `..` away, even when it is percent-encoded.
 * The server lists no such names.
 * @param {string} name
 */
function encode(name) {
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
