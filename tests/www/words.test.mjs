import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import {
  bytes,
  count,
  duration,
  languageFor,
  rate,
  reason,
  SENTENCES,
  saysAbsent,
  translated,
  WORDS,
} from '../../www/i18n.js';
import { commandFor, SHEET } from '../../www/keys.js';

const html = readFileSync(new URL('../../www/index.html', import.meta.url), 'utf8');

test('both languages have the same entries, and none is empty', () => {
  assert.deepEqual(Object.keys(WORDS.zh).sort(), Object.keys(WORDS.en).sort());
  for (const words of Object.values(WORDS)) {
    for (const [key, word] of Object.entries(words)) {
      const said = typeof word === 'function' ? word('7', 7) : word;
      assert.ok(said.length > 0, key);
      if (typeof word === 'function') assert.match(said, /7/, `${key} says the number`);
    }
  }
});

test('one is not many', () => {
  assert.equal(WORDS.en.newLines('1', 1), '1 new line');
  assert.equal(WORDS.en.newLines('2', 2), '2 new lines');
});

test('the page asks for no entry that is not there, and its markup is in English', () => {
  const asked = [...html.matchAll(/data-(text|label|title|placeholder)="(\w+)"/g)];
  assert.ok(asked.length > 60);
  for (const [, , key] of asked) assert.equal(typeof WORDS.en[key], 'string', key);
  for (const [, key, text] of html.matchAll(/data-text="(\w+)"[^>]*>([^<]*)</g)) assert.equal(text, WORDS.en[key]);
});

test('the language is the chosen one, else the first known of the browser', () => {
  assert.equal(languageFor('zh', ['en']), 'zh');
  assert.equal(languageFor('auto', ['fr-FR', 'zh-TW', 'en']), 'zh');
  assert.equal(languageFor('auto', ['en-GB', 'zh']), 'en');
  assert.equal(languageFor('auto', []), 'en');
});

test('sizes, counts and rates', () => {
  const sizes = [0, 1, 1023, 1024, 1536, 1048524, 1048575, 1048576, 123_456_789, 5 * 1024 ** 4];
  assert.deepEqual(
    sizes.map((size) => bytes(size, 'en')),
    ['0 B', '1 B', '1,023 B', '1 KiB', '1.5 KiB', '1,024 KiB', '1 MiB', '1 MiB', '118 MiB', '5 TiB'],
  );
  assert.equal(count(1234567, 'en'), '1,234,567');
  assert.deepEqual(
    [0, 0.33, 9.96, 12.4, 5000].map((n) => rate(n, 'en')),
    ['0', '0.3', '10', '12', '5,000'],
  );
});

const press = (key, more = {}) => ({ key, ctrlKey: false, altKey: false, metaKey: false, isComposing: false, ...more });

test('keys do what the help sheet says', () => {
  assert.equal(commandFor(press('f'), 'page'), 'follow');
  assert.equal(commandFor(press(' '), 'page'), 'pause');
  assert.equal(commandFor(press('G'), 'page'), 'end');
  assert.equal(commandFor(press('x'), 'page'), null);
  assert.equal(commandFor(press('constructor'), 'page'), null);
  const names = { Space: ' ', '↓': 'ArrowDown', '↑': 'ArrowUp', PgDn: 'PageDown', PgUp: 'PageUp', Esc: 'Escape' };
  for (const [keys, meaning] of SHEET) {
    assert.equal(typeof WORDS.en[meaning], 'string');
    for (const key of keys) assert.notEqual(commandFor(press(names[key] ?? key), 'page'), null, key);
  }
});

test('nothing is done while somebody types, nor with the browser’s keys, nor with a control’s', () => {
  for (const key of ['f', ' ', '/', '?', 'g', 'j', 'w', 'n', '&', 'y', 'l'])
    assert.equal(commandFor(press(key), 'typing'), null);
  assert.equal(commandFor(press('Escape'), 'typing'), 'escape');
  for (const more of [{ ctrlKey: true }, { altKey: true }, { metaKey: true }, { isComposing: true }]) {
    assert.equal(commandFor(press('f', more), 'page'), null);
  }
  assert.equal(commandFor(press(' '), 'control'), null, 'Space presses the button');
  for (const [key, command] of [
    ['f', 'follow'],
    ['Home', 'top'],
    ['End', 'end'],
    ['ArrowUp', 'up'],
  ]) {
    assert.equal(commandFor(press(key), 'control'), command, `${key}, after a button was clicked`);
  }
});

test('whatever the protocol says that the server may say is said in Chinese', () => {
  const protocol = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');
  const [, refusals] = /## Refusals\n(.*?)\n## /s.exec(protocol);
  const codes = [...refusals.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, code]) => code);
  const sentences = [...refusals.matchAll(/`([A-Za-z]+ [^`]+)`/g)].map(([, sentence]) => sentence.replace('\n', ' '));
  assert.deepEqual([codes.length, sentences.length], [24, 5]);
  assert.deepEqual([...SENTENCES.zh.keys()].sort(), [...codes, ...sentences].sort());
  assert.equal(reason('it is a folder', 'zh'), 'it is a folder', 'what nobody translated is said as it is');
  const absent = ['there is no such file', 'It does not exist yet.'];
  assert.deepEqual(sentences.filter(saysAbsent), absent, 'any other says that it cannot be read');
  assert.equal(translated({ code: 'constructor', message: 'no' }, 'zh'), 'no');
  assert.match(translated({ code: 'syntax', message: 'the pattern "((" is bad' }, 'zh'), /正则表达式.*"\(\("/);
});

test('how long something took', () => {
  const took = [0, 40, 950, 9940, 9960, 59_400, 59_600, 65_000, 3_600_000, 7_640_000, 90_000_000];
  assert.deepEqual(
    took.map((ms) => duration(ms, 'en')),
    ['0 s', '0 s', '1 s', '9.9 s', '10 s', '59 s', '1 min', '1 min 5 s', '1 h', '2 h 7 min', '25 h'],
  );
  assert.equal(duration(65_000, 'zh'), '1 分 5 秒');
});
