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

/** A window that stands at the end of `log`, of which it holds the last `n` characters; cursors are offsets. */
function standing(log, n, limits = LIMITS) {
  const lines = new LineWindow(limits);
  lines.clear(String(log.length - n));
  lines.append(log.slice(log.length - n), String(log.length));
  return lines;
}

/** What a server gives that is asked for `count` lines before an offset. */
function older(log, before, count) {
  let from = before;
  for (let found = 0; from > 0; from -= 1) {
    if (log[from - 1] === '\n' && from < before) found += 1;
    if (found === count) break;
  }
  return { text: log.slice(from, before), from: String(from) };
}

test('older text comes before what is held, and no row changes its id', () => {
  const lines = standing('one\ntwo\nthree\nfour\n', 11);
  const { first, lines: count } = lines;
  assert.deepEqual(lines.front, { cursor: '8', again: 0 });
  lines.prepend('two\n', '4');
  lines.prepend('one\n', '0');
  assert.deepEqual(texts(lines), ['one', 'two', 'three', 'four']);
  assert.deepEqual([lines.first, lines.row(first).text, lines.lines], [first - 2, 'three', count]);
  assert.deepEqual(
    rowsOf(lines).map((row) => row.line),
    [-1, 0, 1, 2],
  );
  assert.deepEqual([lines.front, lines.back], [{ cursor: '0', again: 0 }, '19']);
});

test('rows that were let go within a message come once more, under their own ids', () => {
  const lines = new LineWindow({ rows: 4, units: 1000, line: 100 });
  lines.clear('0');
  lines.append('a\nb\nc\nd\ne\nf\n', '12');
  lines.append('g\n', '14');
  lines.trim();
  assert.deepEqual(texts(lines), ['e', 'f', 'g']);
  assert.deepEqual(lines.front, { cursor: '12', again: 2 });
  const id = lines.first;
  lines.prepend('c\nd\ne\nf\n', '4');
  assert.deepEqual(texts(lines), ['c', 'd', 'e', 'f', 'g']);
  assert.equal(lines.row(id).text, 'e');
  assert.deepEqual(lines.front, { cursor: '4', again: 0 });
});

test('of a line that is held whole, its first half is not shown twice', () => {
  const lines = new LineWindow({ rows: 3, units: 1000, line: 100 });
  lines.clear('0');
  lines.append('a\nb\nhal', '7');
  lines.append('f\nc\nd', '12');
  lines.trim();
  assert.deepEqual(texts(lines), ['c', 'd']);
  assert.deepEqual(lines.front, { cursor: '12', again: 2 }, 'the cursor lies within "d"');
  lines.prepend('half\nc\nd', '4');
  assert.deepEqual(texts(lines), ['half', 'c', 'd']);
  lines.append('ddd\n', '16');
  assert.deepEqual(texts(lines), ['half', 'c', 'dddd']);
});

test('a line of which the first half comes later is one line in two rows', () => {
  const lines = new LineWindow();
  lines.clear('5');
  lines.append('tail\nnext\n', '15');
  lines.prepend('one\nhead ', '0');
  assert.deepEqual(
    rowsOf(lines).map(({ text, line, part, cut }) => [text, line, part, cut]),
    [
      ['one', 0, 0, false],
      ['head ', 1, 0, true],
      ['tail', 1, 1, false],
      ['next', 2, 0, false],
    ],
  );
});

test('a style goes on from older text into what was there', () => {
  const lines = standing('\x1b[31mred\nstill\nplain\x1b[0m\nend\n', 4 + 10 + 6);
  lines.prepend('\x1b[31mred\n', '0');
  assert.deepEqual(
    rowsOf(lines).map((row) => row.style.fg),
    [null, 1, 1, null],
  );
  assert.deepEqual(
    seen(lines),
    seen(windowOf('\x1b[31mred\nstill\nplain\x1b[0m\nend\n')).map((row, i) => ({ ...row, line: i })),
  );
});

test('marks between files, and the numbers of their lines', () => {
  const lines = new LineWindow();
  lines.clear('new.0');
  lines.append('n1\nn2\n', 'new.6');
  lines.prependMark({ kind: 'rotated' }, 'new.0');
  lines.prepend('o7\no8\n', 'old.18');
  lines.mark({ kind: 'truncated' }, 'third.0');
  lines.append('t1\n', 'third.3');
  assert.deepEqual(texts(lines), ['o7', 'o8', '-- rotated', 'n1', 'n2', '-- truncated', 't1']);
  assert.deepEqual(
    rowsOf(lines).map((row) => row.file),
    [-1, -1, 0, 0, 0, 1, 1],
  );
  assert.equal(lines.numberOf(lines.row(lines.first)), null);
  lines.learn(lines.first, 7);
  lines.learn(lines.first + 4, 2);
  const numbers = rowsOf(lines).map((row) => (row.kind === 'line' ? lines.numberOf(row) : '-'));
  assert.deepEqual(numbers, [7, 8, '-', 1, 2, '-', null]);
  lines.prepend('o6\n', 'old.15');
  assert.equal(lines.numberOf(lines.row(lines.first)), 6);
});

test('the newest rows are let go from where the log can be asked for them again', () => {
  const lines = new LineWindow({ rows: 10, units: 1000, line: 100 });
  lines.clear('8');
  lines.append('e\nf\nhal', '15');
  lines.append('f\ng\n', '19');
  lines.append('h\ni\nj\n', '25');
  assert.ok(!lines.trimEnd(), 'not while there is room');
  lines.prepend('a\nb\nc\nd\n', '0');
  assert.deepEqual([lines.trimEnd(), lines.back], [true, '19']);
  assert.deepEqual(texts(lines), ['a', 'b', 'c', 'd', 'e', 'f', 'half', 'g']);
  assert.equal(lines.append('h\n', '21'), 1);
  assert.equal(lines.row(lines.end - 1).line, 5, 'the numbers go on');
});

test('the way to any line leads to where it begins', () => {
  const random = numbersFrom(7);
  for (let round = 0; round < 200; round += 1) {
    const words = ['a\n', 'bc\n', '\n', 'def', 'x', 'long line\n'];
    const log = Array.from({ length: 40 }, () => words[random(words.length)]).join('');
    const lines = new LineWindow({ rows: 24, units: 1000, line: 6 });
    let at = random(log.length);
    while (at > 0 && log[at - 1] !== '\n') at -= 1;
    lines.clear(String(at));
    const offsets = [];
    for (let from = at; at < log.length; from = at) {
      at = Math.min(log.length, at + 1 + random(9));
      lines.append(log.slice(from, at), String(at));
      if (random(4) === 0) lines.trim();
    }
    for (let from = 0; from < log.length; from = log.indexOf('\n', from) + 1 || log.length) offsets.push(from);
    const last = lines.row(lines.end - 1);
    for (let id = lines.first; id < lines.end; id += 1) {
      const row = lines.row(id);
      const way = lines.way(id);
      const expected = offsets.at(row.line - last.line - 1);
      assert.equal(older(log, Number(way.before), way.lines).from, String(expected), `round ${round}, "${row.text}"`);
      assert.notEqual(lines.cursorNear(id), null);
    }
  }
});

test('going up and down through a log, however much is let go at either end, shows the log', () => {
  const random = numbersFrom(99);
  for (let round = 0; round < 150; round += 1) {
    const words = ['a\n', 'bc\n', '\n', 'def', '\x1b[31mred', '\x1b[0m\r\n', 'xyz\n'];
    const log = Array.from({ length: 120 }, () => words[random(words.length)]).join('');
    const limits = { rows: 14, units: 300, line: 64 };
    const lines = standing(log, 0, limits);
    for (let step = 0; step < 60; step += 1) {
      const front = lines.front;
      if (random(2) === 0) {
        const { text, from } = older(log, Number(front.cursor), front.again + 1 + random(4));
        lines.prepend(text, from);
        lines.trimEnd();
      } else {
        const to = Math.min(log.length, Number(lines.back) + 1 + random(9));
        lines.append(log.slice(Number(lines.back), to), String(to));
        lines.trim();
      }
      // What is held is what a window would hold that had read the log from there on, and no line stands twice.
      const whole = windowOf(log.slice(0, Number(lines.back)), { ...limits, line: 64 });
      const ours = rowsOf(lines).map((row) => row.text);
      const theirs = rowsOf(whole)
        .map((row) => row.text)
        .slice(whole.end - ours.length);
      assert.deepEqual(ours, theirs, `round ${round}, step ${step}`);
      assert.ok(lines.end - lines.first <= 14 + 5, 'within its bounds, and one request');
    }
  }
});
