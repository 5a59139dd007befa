import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { PLAIN } from '../../www/ansi.js';
import { CONTRAST, contrast, fromHex, GROUND, legible, look } from '../../www/colour.js';

const css = readFileSync(new URL('../../www/style.css', import.meta.url), 'utf8');

/** The colours of a theme as style.css has them. */
function colours(theme) {
  const start = css.indexOf(theme === 'dark' ? ':root {' : ':root[data-theme="light"] {');
  const block = css.slice(start, css.indexOf('}', start));
  return Object.fromEntries([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, hex]) => [name, hex]));
}

test('known contrasts', () => {
  assert.equal(contrast([0, 0, 0], [255, 255, 255]), 21);
  assert.ok(Math.abs(contrast(fromHex('#777777'), fromHex('#ffffff')) - 4.48) < 0.01);
});

for (const theme of /** @type {const} */ (['dark', 'light'])) {
  const is = colours(theme);
  const stands = (text, ground, least = CONTRAST) => {
    const found = contrast(fromHex(text), fromHex(ground));
    assert.ok(found >= least, `${theme}: ${text} on ${ground} is ${found.toFixed(2)}:1`);
  };

  test(`${theme}: every text of the page stands out from its ground`, () => {
    for (const ground of ['ground', 'panel', 'raised', 'wash']) {
      for (const text of ['text', 'muted']) stands(is[text], is[ground]);
    }
    for (const ground of ['ground', 'panel', 'wash']) stands(is.accent, is[ground]);
    for (const ground of ['ground', 'panel']) {
      for (const text of ['warn', 'bad']) stands(is[text], is[ground]);
    }
    for (const ground of ['warn-wash', 'bad-wash']) stands(is.text, is[ground]);
    stands(is['on-accent'], is.accent);
  });

  test(`${theme}: what has a meaning without being text stands out by 3:1`, () => {
    for (const mark of ['good', 'warn', 'bad', 'accent']) stands(is[mark], is.panel, 3);
  });

  test(`${theme}: colour.js and style.css agree`, () => {
    assert.deepEqual(GROUND[theme], { text: is.text, background: is.ground });
  });

  test(`${theme}: every terminal colour on every other can be read`, () => {
    const palette = [null, ...Array(256).keys()];
    for (const fg of palette) {
      for (const bg of [null, ...Array(16).keys(), 46, 88, 196, 226, 240, 244]) {
        for (const more of [{}, { inverse: true }, { dim: true }]) {
          const { color, background } = look({ ...PLAIN, fg, bg, ...more }, theme);
          stands(color ?? is.text, background ?? is.ground);
          // A row that says ERROR or WARN is washed in colour; what has no ground of its own stands on that.
          if (background === null && color !== null) {
            for (const wash of ['warn-wash', 'bad-wash']) stands(color, is[wash]);
          }
        }
      }
    }
  });
}

test('plain text has no colour of its own', () => {
  assert.deepEqual(look(PLAIN, 'dark'), { color: null, background: null });
  assert.deepEqual(look({ ...PLAIN, bold: true }, 'light'), { color: null, background: null });
});

test('any text can be made legible on any ground', () => {
  for (let grey = 0; grey < 256; grey += 1) {
    const ground = /** @type {[number, number, number]} */ ([grey, grey, grey]);
    assert.ok(contrast(legible(ground, ground), ground) >= CONTRAST, String(grey));
  }
});

test('a colour that can be read is left as it is', () => {
  assert.equal(look({ ...PLAIN, fg: '#ff8800' }, 'dark').color, '#ff8800');
});
