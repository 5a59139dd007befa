/**
 * What a terminal style looks like in the page's theme.
 *
 * A log is written for somebody's terminal, not for this background: yellow on white cannot be read. So each text
 * colour is moved towards black or white until it stands out from its background by 4.5:1 (WCAG 2.2, 1.4.3).
 */

/** @typedef {[number, number, number]} Rgb */
/** @typedef {'light' | 'dark'} Theme */
/** @typedef {{ color: string | null, background: string | null }} Look null: the theme's own, left to the style sheet */

/** WCAG 2.2, success criterion 1.4.3. */
export const CONTRAST = 4.5;

/** Text on the log's own ground must also be read where a row is washed in red or amber. */
const ON_A_WASH = 5.6;

/** The log's own colours, as style.css has them; a test compares. */
export const GROUND = Object.freeze({
  dark: { text: '#d3dae2', background: '#0f1317' },
  light: { text: '#1e252c', background: '#fcfcfb' },
});

// The sixteen colours of the theme: black, red, green, yellow, blue, magenta, cyan, white, and their bright forms.
const SIXTEEN = {
  dark: [
    '#20262d',
    '#ef6f6c',
    '#7fc77e',
    '#dcb25c',
    '#6fa8f0',
    '#c792e0',
    '#58c3c7',
    '#c3cad2',
    '#8a96a3',
    '#ff8f8a',
    '#9fe09a',
    '#f2cf7d',
    '#92c0ff',
    '#deb0f2',
    '#80dde0',
    '#f2f5f8',
  ],
  light: [
    '#1e252c',
    '#b3261e',
    '#2a6e2f',
    '#805900',
    '#1f5cb0',
    '#8a3a9c',
    '#0f6b70',
    '#d5dade',
    '#5c6770',
    '#c9352c',
    '#347d38',
    '#8f6400',
    '#2b6cc4',
    '#9c48b0',
    '#157a80',
    '#f4f6f7',
  ],
};

/** @type {Map<string, Look>} */
const known = new Map();

/**
 * @param {import('./ansi.js').Style} style
 * @param {Theme} theme
 * @returns {Look}
 */
export function look(style, theme) {
  if (style.fg === null && style.bg === null && !style.inverse && !style.dim) return { color: null, background: null };
  const key = `${theme} ${style.fg} ${style.bg} ${style.inverse} ${style.dim}`;
  let found = known.get(key);
  if (found === undefined) {
    // A log may name millions of colours; those of one screen are few.
    if (known.size >= 4096) known.clear();
    found = work(style, theme);
    known.set(key, found);
  }
  return found;
}

/**
 * @param {import('./ansi.js').Style} style
 * @param {Theme} theme
 * @returns {Look}
 */
function work(style, theme) {
  let text = rgbOf(style.fg, theme) ?? fromHex(GROUND[theme].text);
  let background = rgbOf(style.bg, theme) ?? fromHex(GROUND[theme].background);
  if (style.inverse) [text, background] = [background, text];
  if (style.dim) text = mix(text, background, 0.4);
  const own = style.bg === null && !style.inverse;
  const color = toHex(legible(text, background, own ? ON_A_WASH : CONTRAST));
  return { color, background: own ? null : toHex(background) };
}

/**
 * `text`, moved towards black or white until it can be read on `background`.
 * @param {Rgb} text
 * @param {Rgb} background
 * @param {number} least the contrast to be reached, if white or black do
 * @returns {Rgb}
 */
export function legible(text, background, least = CONTRAST) {
  /** @type {Rgb[]} */
  const ends = [
    [255, 255, 255],
    [0, 0, 0],
  ];
  // Towards the end that is further from the background; one of the two always reaches 4.5:1 (the worst grey leaves
  // 4.58:1 for the better one).
  const end = contrast(ends[0], background) >= contrast(ends[1], background) ? ends[0] : ends[1];
  for (let step = 0; step < 20; step += 1) {
    const moved = mix(text, end, step / 20);
    if (contrast(moved, background) >= least) return moved;
  }
  return end;
}

/**
 * The contrast ratio of WCAG 2.2.
 * @param {Rgb} a
 * @param {Rgb} b
 */
export function contrast(a, b) {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

/**
 * @param {string} hex `#rrggbb`
 * @returns {Rgb}
 */
export function fromHex(hex) {
  const value = Number.parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** @param {Rgb} rgb */
function toHex(rgb) {
  return `#${rgb.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
}

/**
 * The colour itself: the theme's sixteen, then xterm's cube of 6 × 6 × 6 and its 24 greys.
 * @param {import('./ansi.js').Colour} colour
 * @param {Theme} theme
 * @returns {Rgb | null}
 */
function rgbOf(colour, theme) {
  if (colour === null) return null;
  if (typeof colour === 'string') return fromHex(colour);
  if (colour < 16) return fromHex(SIXTEEN[theme][colour]);
  if (colour >= 232) {
    const grey = 8 + (colour - 232) * 10;
    return [grey, grey, grey];
  }
  const steps = [0, 95, 135, 175, 215, 255];
  const cell = colour - 16;
  return [steps[Math.floor(cell / 36)], steps[Math.floor(cell / 6) % 6], steps[cell % 6]];
}

/**
 * @param {Rgb} a
 * @param {Rgb} b
 * @param {number} share of `b`
 * @returns {Rgb}
 */
function mix(a, b, share) {
  // Rounded, so that what is compared is what is shown.
  const part = (/** @type {number} */ x, /** @type {number} */ y) => Math.round(x + (y - x) * share);
  return [part(a[0], b[0]), part(a[1], b[1]), part(a[2], b[2])];
}

/** @param {Rgb} rgb */
function luminance(rgb) {
  const [r, g, b] = rgb.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
