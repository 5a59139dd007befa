import assert from 'node:assert/strict';
import test from 'node:test';
import { parse } from '../../www/ansi.js';
import { LIMITS, LineWindow } from '../../www/lines.js';
import { numbersFrom } from './random.mjs';

/** Everything a window holds. */
function rowsOf(lines) {
  return Array.from({ length: lines.end - lines.first }, (_, i) => lines.row(lines.first + i));
}

/** What can be seen of it: text with styles, line numbers, marks. */
function seen(lines) {
  return rowsOf(lines).map((row) => (row.kind === 'mark' ? row : { ...row, spans: parse(row.text, row.style).spans }));
}

function windowOf(text, limits = LIMITS) {
  const lines = new LineWindow(limits);
  lines.append(text);
  return lines;
}

const texts = (lines) => rowsOf(lines).map((row) => (row.kind === 'line' ? row.text : `-- ${row.mark.kind}`));

test('text becomes lines, the last one half', () => {
  const lines = windowOf('one\ntwo\nthr');
  assert.deepEqual(texts(lines), ['one', 'two', 'thr']);
  assert.deepEqual(
    rowsOf(lines).map((row) => row.open),
    [false, false, true],
  );
  assert.equal(lines.lines, 3);
});

test('a half line is completed in place', () => {
  const lines = windowOf('one\ntwo');
  assert.equal(lines.append(' more\nthree\n'), 1, 'only one line began');
  assert.deepEqual(texts(lines), ['one', 'two more', 'three']);
  assert.equal(lines.end, 3);
});

test('line ends may be CRLF, also when the two come apart', () => {
  const lines = windowOf('one\r\ntwo\r');
  lines.append('\nthree');
  assert.deepEqual(texts(lines), ['one', 'two', 'three']);
});

test('empty lines are lines', () => {
  assert.deepEqual(texts(windowOf('\n\nx\n\n')), ['', '', 'x', '']);
});

test('a mark ends a half line; what follows is a line of its own, in no colour', () => {
  const lines = windowOf('\x1b[31mhal');
  lines.mark({ kind: 'rotated' });
  lines.append('new\n');
  assert.deepEqual(texts(lines), ['\x1b[31mhal', '-- rotated', 'new']);
  assert.equal(lines.row(2).style.fg, null);
});

test('a style goes on over lines and pieces', () => {
  const lines = windowOf('\x1b[33mone\ntw');
  lines.append('o\nthree\x1b[0m\nfour');
  assert.deepEqual(
    rowsOf(lines).map((row) => row.style.fg),
    [null, 3, 3, null],
  );
});

test('the same text cut at any place makes the same rows', () => {
  const text =
    'one\r\n\x1b[31mred\x1b]8;;x\x1b\\link\n\nünï😀\x1b[38;5;208m longer than the limit of a row \x1b[0m\nend';
  const limits = { ...LIMITS, line: 16 };
  const whole = seen(windowOf(text, limits));
  assert.ok(whole.some((row) => row.cut));
  for (let cut = 0; cut <= text.length; cut += 1) {
    const lines = windowOf(text.slice(0, cut), limits);
    lines.append(text.slice(cut));
    assert.deepEqual(seen(lines), whole, `cut at ${cut}`);
  }
  const lines = new LineWindow(limits);
  for (const unit of text.split('')) lines.append(unit);
  assert.deepEqual(seen(lines), whole, 'unit by unit');
});

test('a very long line is cut and keeps its number', () => {
  const lines = windowOf(`${'x'.repeat(150_000)}\nshort\n`);
  assert.deepEqual(
    rowsOf(lines).map((row) => [row.line, row.part, row.cut, row.text.length]),
    [
      [1, 0, true, 65_536],
      [1, 1, true, 65_536],
      [1, 2, false, 18_928],
      [2, 0, false, 5],
    ],
  );
  assert.equal(lines.lines, 2);
});

test('nothing is let go unless asked for', () => {
  const lines = new LineWindow({ rows: 10, units: 1000, line: 100 });
  lines.append('x\n'.repeat(12));
  assert.equal(lines.end - lines.first, 12);
  assert.ok(lines.full);
  assert.ok(!lines.overfull);
  lines.append('x\n'.repeat(4));
  assert.ok(lines.overfull);
  lines.trim();
  assert.equal(lines.end - lines.first, 8, 'and there is room for more');
  assert.equal(lines.letGo, 8);
  assert.ok(!lines.full);
});

test('200,000 lines stay within the bounds', () => {
  const lines = new LineWindow();
  const line = `${'a log line of quite an ordinary length, neither short nor long '.repeat(2)}\n`;
  for (let i = 0; i < 2_000; i += 1) {
    lines.append(line.repeat(100));
    lines.trim();
    assert.ok(lines.end - lines.first <= LIMITS.rows);
    assert.ok(lines.units <= LIMITS.units);
  }
  assert.equal(lines.lines, 200_000);
  assert.equal(lines.end, 200_000);
  assert.equal(lines.row(lines.first - 1), undefined);
  assert.equal(lines.row(lines.end - 1).line, 200_000);
});

test('few but long lines stay within the bounds too', () => {
  const lines = new LineWindow();
  for (let i = 0; i < 400; i += 1) {
    lines.append(`${'y'.repeat(100_000)}\n`);
    lines.trim();
    assert.ok(lines.units <= LIMITS.units);
  }
  assert.equal(lines.lines, 400);
});

test('after clearing, ids go on and all else begins anew', () => {
  const lines = windowOf('\x1b[31mone\ntwo');
  lines.clear();
  assert.equal(lines.first, 2);
  assert.equal(lines.end, 2);
  assert.equal(lines.units, 0);
  lines.append('new\n');
  assert.deepEqual({ ...lines.row(2), style: null }.line, 1);
  assert.equal(lines.row(2).style.fg, null);
});

/** The window's definition, word for word, with everything kept. */
class NaiveTwin {
  constructor(limits) {
    this.limits = limits;
    this.rows = [];
    this.first = 0;
    this.number = 0;
  }

  append(text) {
    for (const unit of text) {
      const last = this.rows.at(-1);
      let row = last?.open ? last : null;
      if (row === null) {
        this.number += 1;
        row = { line: this.number, text: '', open: true };
        this.rows.push(row);
      }
      if (unit === '\n') {
        row.open = false;
        if (row.text.endsWith('\r')) row.text = row.text.slice(0, -1);
      } else {
        if (row.text.length === this.limits.line) {
          row.open = false;
          row = { line: this.number, text: '', open: true };
          this.rows.push(row);
        }
        row.text += unit;
      }
    }
  }

  mark(kind) {
    const last = this.rows.at(-1);
    if (last?.open) {
      last.open = false;
      if (last.text.endsWith('\r')) last.text = last.text.slice(0, -1);
    }
    this.rows.push({ mark: kind, text: '' });
  }

  trim() {
    const units = () => this.rows.slice(this.first).reduce((sum, row) => sum + row.text.length, 0);
    const { rows, units: most } = this.limits;
    const over = () => this.rows.length - this.first > rows * 0.8 || units() > most * 0.8;
    while (over() && this.rows.length - this.first > 1) this.first += 1;
  }
}

test('agrees with its naive twin after any list of operations', () => {
  const limits = { rows: 20, units: 120, line: 9 };
  const random = numbersFrom(2026);
  const words = ['a', 'bc', 'def', '\n', '\n', '\r\n', '\r', 'a word that is too long', '', 'x\ny\nz', '\n\n\n'];
  for (let round = 0; round < 400; round += 1) {
    const lines = new LineWindow(limits);
    const twin = new NaiveTwin(limits);
    for (let step = 0; step < 60; step += 1) {
      const dice = random(10);
      if (dice < 7) {
        const text = words[random(words.length)];
        const before = twin.number;
        twin.append(text);
        assert.equal(lines.append(text), twin.number - before);
      } else if (dice < 8) {
        lines.mark({ kind: 'rotated' });
        twin.mark('rotated');
      } else {
        lines.trim();
        twin.trim();
      }
      const ours = rowsOf(lines).map((row) => (row.kind === 'mark' ? 'mark' : [row.line, row.text, row.open]));
      const theirs = twin.rows.slice(twin.first).map((row) => (row.mark ? 'mark' : [row.line, row.text, row.open]));
      assert.deepEqual(ours, theirs, `round ${round}, step ${step}`);
      assert.equal(lines.first, twin.first);
      assert.equal(
        lines.units,
        rowsOf(lines).reduce((sum, row) => sum + (row.kind === 'line' ? row.text.length : 0), 0),
      );
    }
  }
});
