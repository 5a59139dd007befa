import assert from 'node:assert/strict';
import test from 'node:test';
import { cutBefore, MAX_SPANS, PLAIN, parse, plainStart, styleAfter } from '../../www/ansi.js';
import { numbersFrom } from './random.mjs';

/** The spans of `text` as `[text, what differs from plain]`. */
function told(text, style = PLAIN) {
  return parse(text, style).spans.map((span) => [span.text, different(span.style)]);
}

function different(style) {
  return Object.fromEntries(Object.entries(style).filter(([key, value]) => value !== PLAIN[key]));
}

const shown = (text) =>
  parse(text, PLAIN)
    .spans.map((span) => span.text)
    .join('');

test('plain text is one plain span', () => {
  assert.deepEqual(told('hello'), [['hello', {}]]);
  assert.deepEqual(told(''), []);
});

test('the sixteen colours, and back to none', () => {
  assert.deepEqual(told('\x1b[31mred\x1b[0m no'), [
    ['red', { fg: 1 }],
    [' no', {}],
  ]);
  assert.deepEqual(told('\x1b[97;100mx'), [['x', { fg: 15, bg: 8 }]]);
  assert.deepEqual(told('\x1b[44mx\x1b[49my'), [
    ['x', { bg: 4 }],
    ['y', {}],
  ]);
});

test('256 colours and RGB, with semicolons and with colons', () => {
  for (const code of ['38;5;208', '38:5:208']) assert.deepEqual(told(`\x1b[${code}mx`), [['x', { fg: 208 }]]);
  for (const code of ['48;2;1;2;255', '48:2:1:2:255', '48:2::1:2:255']) {
    assert.deepEqual(told(`\x1b[${code}mx`), [['x', { bg: '#0102ff' }]]);
  }
  assert.deepEqual(told('\x1b[38;5;208;1mx'), [['x', { fg: 208, bold: true }]], 'what follows a colour counts too');
  assert.deepEqual(told('\x1b[38;5;256mx'), [['x', {}]], 'there is no colour 256');
  assert.deepEqual(told('\x1b[38;2;1;2mx'), [['x', {}]], 'half a colour is none');
});

test('bold, dim, italic, underline, inverse, strike, and each one off again', () => {
  const all = '\x1b[1;2;3;4;7;9m';
  const on = { bold: true, dim: true, italic: true, underline: true, inverse: true, strike: true };
  assert.deepEqual(told(`${all}x`), [['x', on]]);
  assert.deepEqual(told(`${all}\x1b[22;23;24;27;29mx`), [['x', {}]]);
  assert.deepEqual(told('\x1b[4mx\x1b[4:0my'), [
    ['x', { underline: true }],
    ['y', {}],
  ]);
});

test('an empty parameter is 0, and what means nothing changes nothing', () => {
  assert.deepEqual(told('\x1b[31m\x1b[mx'), [['x', {}]]);
  assert.deepEqual(told('\x1b[31m\x1b[5;8;73mx'), [['x', { fg: 1 }]], 'concealed text is shown');
  assert.deepEqual(told('\x1b[31m\x1b[?1;0mx'), [['x', { fg: 1 }]], 'private sequences are not SGR');
});

test('the style goes on over the end of the line', () => {
  const first = parse('\x1b[33mone', PLAIN);
  assert.deepEqual(told('two', first.style), [['two', { fg: 3 }]]);
});

test('other escapes are dropped: cursor moves, titles, links', () => {
  assert.equal(shown('a\x1b[2Kb\x1b[10;20Hc\x1b[?25ld'), 'abcd');
  assert.equal(shown('\x1b]0;title\x07a\x1b]8;;javascript:alert(1)\x1b\\link\x1b]8;;\x1b\\b'), 'alinkb');
  assert.equal(shown('\x1bPq#0;2;0;0;0\x1b\\a\x1b(Bb\x1b=c'), 'abc');
});

test('an escape that is not complete is shown, not swallowed', () => {
  assert.equal(shown('a\x1b'), 'a^[');
  assert.equal(shown('a\x1b[31'), 'a^[[31');
  assert.equal(shown('a\x1b]8;;never ended'), 'a^[]8;;never ended');
});

test('control characters are made visible, tabs stay', () => {
  assert.equal(shown('a\0b\tc\rd\x7f'), 'a^@b\tc^Md^?');
  assert.equal(shown('\u0085\u202e\u2028\ufeff'), '<85><202E><2028><FEFF>');
  assert.deepEqual(
    parse('a\0b', PLAIN).spans.map((span) => span.control),
    [false, true, false],
  );
});

test('markup is text like any other', () => {
  assert.equal(shown('<img src=x onerror=alert(1)>&amp;'), '<img src=x onerror=alert(1)>&amp;');
});

test('the number of spans is bounded, the text is not cut', () => {
  let text = '';
  for (let i = 0; i < 5000; i += 1) text += `\x1b[${31 + (i % 7)}mx`;
  const { spans } = parse(text, PLAIN);
  assert.ok(spans.length <= MAX_SPANS);
  assert.equal(spans.map((span) => span.text).join(''), 'x'.repeat(5000));
});

test('the style after a text cut anywhere outside an escape is the same', () => {
  const random = numbersFrom(7);
  const pieces = ['a', 'bc', '\x1b[1m', '\x1b[31m', '\x1b[38;5;99m', '\x1b[0m', '\x1b]0;t\x07', '\x1b[22m', 'ü'];
  for (let round = 0; round < 300; round += 1) {
    const parts = Array.from({ length: 12 }, () => pieces[random(pieces.length)]);
    const whole = parse(parts.join(''), PLAIN);
    assert.deepEqual(styleAfter(parts.join(''), PLAIN), whole.style);
    for (let cut = 0; cut <= parts.length; cut += 1) {
      const head = parse(parts.slice(0, cut).join(''), PLAIN);
      const tail = parse(parts.slice(cut).join(''), head.style);
      assert.deepEqual(tail.style, whole.style);
      const text = [...head.spans, ...tail.spans].map((span) => span.text).join('');
      assert.equal(text, whole.spans.map((span) => span.text).join(''));
    }
  }
});

test('a cut tears neither an escape nor a surrogate pair, and looks only at what comes before it', () => {
  const samples = [
    'aaaa\x1b[38;5;208mbbbb',
    'aaaa\x1b]8;;x\x1b\\bbbb',
    'aaaa\x1b]0;t\x07bbbb',
    'aaaa😀bbbb',
    '\x1b[31mbbbbbb',
  ];
  for (const text of samples) {
    for (let limit = 2; limit < text.length; limit += 1) {
      const cut = cutBefore(text, limit);
      assert.ok(cut >= 1 && cut <= limit, `${JSON.stringify(text)} at ${limit}: ${cut}`);
      assert.equal(cut, cutBefore(text.slice(0, limit), limit), 'what comes later does not matter');
      if (text.startsWith('\x1b') && limit < 5) continue;
      const head = parse(text.slice(0, cut), PLAIN);
      const tail = parse(text.slice(cut), head.style);
      const joined = [...head.spans, ...tail.spans].map((span) => span.text).join('');
      assert.equal(joined, shown(text), `${JSON.stringify(text)} cut at ${cut}`);
      assert.ok(text.slice(0, cut).isWellFormed());
    }
  }
});

test('the start of a line without its escapes', () => {
  assert.equal(plainStart('\x1b[31mERROR\x1b[0m x', 100), 'ERROR x');
  assert.equal(plainStart('abcdef', 3), 'abc');
});

test('hostile escapes cost no more than their length', () => {
  for (const unit of ['\x1b]', '\x1b[', '\x1b[1;', '\x1b', '\x1bP\x1b', '\x1b ']) {
    const text = unit.repeat(200_000 / unit.length);
    const before = performance.now();
    parse(text, PLAIN);
    styleAfter(text, PLAIN);
    assert.ok(performance.now() - before < 2_000, JSON.stringify(unit));
  }
});
