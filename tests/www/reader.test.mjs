import assert from 'node:assert/strict';
import test from 'node:test';
import { LineWindow } from '../../www/lines.js';
import { Reader } from '../../www/reader.js';
import { Requests } from '../../www/requests.js';
import { read } from '../../www/wire.js';
import { History } from './history.mjs';
import { numbersFrom } from './random.mjs';

const settled = () => new Promise((done) => setImmediate(done));
const LIMITS = { rows: 60, units: 100_000, line: 1000 };
const FAR = { above: 10_000, below: 10_000, height: 100 };
const ABOVE = { ...FAR, above: 0 };
const BELOW = { ...FAR, below: 0 };

/** A page that reads `history`; with `serve` off the test plays the server. */
function pageOf(history, serve = true) {
  const page = {
    past: false,
    log: [],
    said: [],
    hear: (json) => page.requests.hear(read(json)),
    rows: () =>
      Array.from({ length: page.lines.end - page.lines.first }, (_, i) => page.lines.row(page.lines.first + i)),
    texts: () => page.rows().map((row) => (row.kind === 'line' ? row.text : `-- ${row.mark.kind}`)),
  };
  page.lines = new LineWindow(LIMITS);
  page.requests = new Requests((ask) => {
    page.said.push(ask);
    if (serve && !('cancel' in ask)) queueMicrotask(() => history.answer(ask).forEach(page.hear));
    return true;
  });
  page.reader = new Reader(page.lines, page.requests, {
    detach: () => {
      page.past = true;
    },
    attach: (cursor) => {
      page.past = false;
      page.log.push(`attach ${cursor}`);
    },
    show: (id, goal) => page.log.push(`show ${page.lines.row(id)?.text} ${goal.below}`),
    fail: (message) => page.log.push(`fail ${message}`),
    hidden: () => page.log.push('hidden'),
    changed: () => {},
  });
  return page;
}

const numbered = (from, to) => Array.from({ length: to - from }, (_, i) => `line ${from + i}`);
const fileOf = (from, to) =>
  numbered(from, to)
    .map((line) => `${line}\n`)
    .join('');

test('near the upper edge older lines are asked for, until the log’s beginning', async () => {
  const page = pageOf(new History([fileOf(0, 5), fileOf(5, 9)]));
  page.lines.clear('1:14');
  page.lines.append('line 7\nline 8\n', '1:28');
  page.reader.reach(FAR, false, null);
  assert.equal(page.said.length, 0, 'not while there is enough left to read');
  page.reader.reach(ABOVE, false, null);
  assert.equal(page.reader.above, 'loading');
  page.reader.reach(ABOVE, false, null);
  assert.equal(page.said.length, 1, 'one request at a time');
  await settled();
  assert.deepEqual(page.texts(), [...numbered(0, 5), '-- rotated', ...numbered(5, 9)]);
  assert.deepEqual([page.reader.above, page.past], ['start', false]);
  page.reader.reach(ABOVE, false, null);
  assert.equal(page.said.length, 1, 'there is nothing before it');
  const numbers = page.rows().map((row) => (row.kind === 'line' ? page.lines.numberOf(row) : '-'));
  assert.deepEqual(numbers, [1, 2, 3, 4, 5, '-', 1, 2, 3, 4]);
});

test('where reading began at a file’s first byte, its mark comes with what lies before', async () => {
  const page = pageOf(new History([fileOf(0, 5), fileOf(5, 9)]));
  page.lines.clear('1:0');
  page.lines.append(fileOf(5, 9), '1:28');
  page.reader.reach(ABOVE, false, null);
  await settled();
  assert.deepEqual(page.texts(), [...numbered(0, 5), '-- rotated', ...numbered(5, 9)]);
  const numbers = page.rows().map((row) => (row.kind === 'line' ? page.lines.numberOf(row) : '-'));
  assert.deepEqual(numbers, [1, 2, 3, 4, 5, '-', 1, 2, 3, 4]);
});

test('a goal that is far away replaces what is shown, with what lies before it within reach', async () => {
  const page = pageOf(new History([fileOf(0, 500), fileOf(500, 2000)]));
  page.lines.clear('1:0');
  page.lines.append('line 500\n', '1:9');
  const landing = page.reader.land('0:790', { below: null, found: true }, 101);
  assert.deepEqual(page.texts(), ['line 500'], 'until there is something to be shown instead');
  assert.ok(await landing);
  assert.deepEqual([page.past, page.log, page.texts()[0]], [true, ['show line 100 null'], 'line 100']);
  assert.equal(page.lines.numberOf(page.lines.row(page.lines.first)), 101);
  page.reader.reach(ABOVE, page.past, null);
  await settled();
  assert.ok(page.texts().includes('line 99'));
});

test('at the log’s end the stream goes on', async () => {
  const page = pageOf(new History([fileOf(0, 5)]));
  page.lines.clear('0:0');
  assert.ok(await page.reader.land('0:21', { below: 7, found: false }, null));
  assert.deepEqual(page.log, ['show line 3 7', 'attach 0:35']);
  assert.deepEqual([page.texts(), page.past], [['line 3', 'line 4'], false]);
  await page.reader.land('0:35', { below: null, found: true }, null);
  assert.deepEqual(
    [page.texts(), page.log.at(-1)],
    [[], 'attach 0:35'],
    'where nothing lies behind, nothing is shown yet',
  );
});

test('a hit that the filter hides is said to be hidden, and nothing else is taken for it', async () => {
  const page = pageOf(new History([fileOf(0, 5)]));
  page.lines.clear('0:0');
  page.reader.counts = false;
  await page.reader.land('0:21', { below: null, found: true, text: 'line 3' }, null);
  await page.reader.land('0:21', { below: null, found: true, text: 'line 2' }, null);
  assert.deepEqual(
    page.log.filter((entry) => !entry.startsWith('attach')),
    ['show line 3 null', 'show line 3 null', 'hidden'],
  );
});

test('a last line that is half is completed in place when the stream goes on', async () => {
  const page = pageOf(new History(['one\ntwo\nhal']));
  page.lines.clear('0:11');
  page.reader.reach(ABOVE, false, null);
  await settled();
  assert.equal(page.lines.append('f\nnext\n', '0:18'), 1);
  assert.deepEqual(page.texts(), ['one', 'two', 'half', 'next']);
  assert.deepEqual(
    page.rows().map((row) => row.line),
    [-2, -1, 0, 1],
  );
});

test('lines so long that few fill the window are not all taken at once', async () => {
  const history = new History([`${'x'.repeat(5000)}\n`.repeat(50)]);
  const page = pageOf(history);
  page.lines.clear(history.end);
  await page.reader.land('0:50010', { below: null, found: true }, null);
  assert.equal(page.lines.front.cursor, '0:50010', 'where one went is held');
  assert.ok(page.lines.units < 30_000 && page.past);
  assert.ok(page.said.some((ask) => 'cancel' in ask));
  page.reader.reach(BELOW, true, null);
  await settled();
  assert.ok(page.lines.back !== history.end);
});

test('a link to a place that nobody knows any more leads nowhere, and it is said', async () => {
  const page = pageOf(new History([]), false);
  const landing = page.reader.land('old', { below: null, found: true }, null);
  page.hear('{"newer":{"id":1,"from":"old","to":"old","bytes":null,"gap":"unknown"}}');
  page.hear('{"done":{"id":1,"more":false}}');
  assert.equal(await landing, false);
  assert.deepEqual([page.log, page.texts(), page.past], [['fail null'], [], false]);
});

test('a gap in the history is a mark', async () => {
  const page = pageOf(new History([]), false);
  page.lines.clear('c');
  page.lines.append('x\n', 'd');
  page.reader.reach(ABOVE, false, null);
  page.hear('{"older":{"id":1,"from":"b","to":"c","bytes":7,"gap":"rotated"}}');
  page.hear('{"older":{"id":1,"from":"a","to":"b","bytes":2}}\nw\n');
  page.hear('{"done":{"id":1,"more":true}}');
  await settled();
  assert.deepEqual(page.texts(), ['w', '-- gap', 'x']);
  assert.deepEqual(page.lines.front, { cursor: 'a', again: 0 });
});

test('when nothing comes although there is more, it is asked for again after a rest', async () => {
  const page = pageOf(new History([]), false);
  page.lines.clear('c');
  page.reader.reach(ABOVE, false, null);
  page.hear('{"done":{"id":1,"more":true}}');
  await settled();
  page.reader.reach(ABOVE, false, null);
  assert.equal(page.said.length, 1);
  page.reader.refresh();
  page.reader.reach(ABOVE, false, null);
  assert.equal(page.said.length, 2);
});

test('a server that refuses is not asked for the same again', async () => {
  const page = pageOf(new History([]), false);
  page.lines.clear('c');
  page.reader.reach(ABOVE, false, null);
  page.hear('{"error":{"id":1,"message":"no such cursor"}}');
  await settled();
  page.reader.refresh();
  page.reader.reach(ABOVE, false, null);
  assert.deepEqual(
    [page.said.length, page.reader.refused?.message, page.reader.above],
    [1, 'no such cursor', 'refused'],
  );
});

test('a lost connection ends every request, and the next one asks again', async () => {
  const page = pageOf(new History([]), false);
  page.lines.clear('c');
  page.reader.reach(ABOVE, false, null);
  page.hear('{"older":{"id":1,"from":"b","to":"c","bytes":2}}\nb\n');
  page.requests.lose();
  await settled();
  page.hear('{"older":{"id":1,"from":"a","to":"b","bytes":2}}\na\n');
  assert.deepEqual(page.texts(), ['b'], 'what comes too late is not taken');
  page.reader.reach(ABOVE, false, null);
  assert.equal(page.said[1].older.before, 'b');
  assert.deepEqual(await pageOf(new History([]), false).reader.locate(0), null, 'there is no line to be located');
});

test('a seek goes where the server says; a refusal is told to whoever asked', async () => {
  const page = pageOf(new History([]), false);
  page.lines.clear('c');
  const going = page.reader.goTo({ line: 7 });
  page.hear('{"place":{"id":1,"cursor":"p","line":7,"byte":9,"file":"a","exact":true}}');
  page.hear('{"done":{"id":1,"more":false}}');
  await settled();
  assert.deepEqual(page.said[1], { newer: { id: 2, after: 'p', lines: 15 } });
  page.hear('{"newer":{"id":2,"from":"p","to":"q","bytes":5}}\nhere\n');
  page.hear('{"done":{"id":2,"more":true}}');
  assert.deepEqual(await going, { kind: 'there' });
  assert.deepEqual(page.log, ['show here null']);
  const bad = page.reader.goTo({ time: 'x' });
  page.hear('{"error":{"id":3,"code":"time","message":"that is no time"}}');
  assert.deepEqual(await bad, { kind: 'refused', why: { code: 'time', message: 'that is no time' } });
  const gone = page.reader.goTo({ cursor: 'x' });
  page.hear('{"done":{"id":4,"note":"That place is not there any more."}}');
  assert.deepEqual(await gone, { kind: 'gone' });
  const lost = page.reader.goTo({ start: {} });
  page.requests.lose();
  assert.deepEqual(await lost, { kind: 'unanswered' });
});

test('the number of a line is asked for where it is not known', async () => {
  const page = pageOf(new History([]), false);
  page.lines.clear('c');
  page.lines.append('x\ny\n', 'd');
  page.reader.reach(FAR, false, page.lines.first + 1);
  assert.deepEqual(page.said, [{ seek: { id: 1, to: { cursor: 'c' } } }]);
  page.hear('{"place":{"id":1,"cursor":"c","line":70,"byte":9,"file":"a","exact":true}}');
  page.hear('{"done":{"id":1,"more":false}}');
  await settled();
  assert.equal(page.lines.numberOf(page.lines.row(page.lines.first + 1)), 71);
  page.reader.reach(FAR, false, page.lines.first + 1);
  assert.equal(page.said.length, 1);
});

test('lines that nobody has counted are counted, once, and whoever reads on goes first', async () => {
  const page = pageOf(new History([]), false);
  page.lines.clear('c');
  page.lines.append('x\ny\n', 'd');
  const look = (room) => page.reader.reach(room, false, page.lines.first);
  look(FAR);
  page.hear('{"place":{"id":1,"cursor":"c","line":null,"byte":9,"file":"a","exact":true}}');
  page.hear('{"done":{"id":1,"more":false}}');
  await settled();
  assert.deepEqual(page.said[1], { seek: { id: 2, to: { line: Number.MAX_SAFE_INTEGER } } });
  page.hear('{"progress":{"id":2,"what":"counting","done":1,"total":4}}');
  assert.deepEqual(page.reader.progress, { what: 'counting', share: 0.25 });
  look(FAR);
  assert.equal(page.said.length, 2, 'it is being counted');
  look(ABOVE);
  assert.equal(page.said[2].older.before, 'c', 'counting gives way');
  page.hear('{"done":{"id":2,"cancelled":true}}');
  page.hear('{"done":{"id":3,"more":false}}');
  await settled();
  page.lines.clear('c');
  page.lines.append('x\ny\n', 'd');
  page.reader.begin();
  look(FAR);
  page.hear('{"place":{"id":4,"cursor":"c","line":null,"byte":9,"file":"a","exact":true}}');
  page.hear('{"done":{"id":4,"more":false}}');
  await settled();
  page.hear('{"place":{"id":5,"cursor":"e","line":90,"byte":99,"file":"a","exact":false}}');
  page.hear('{"done":{"id":5,"more":false}}');
  await settled();
  page.reader.refresh();
  look(FAR);
  page.hear('{"place":{"id":6,"cursor":"c","line":70,"byte":9,"file":"a","exact":true}}');
  page.hear('{"done":{"id":6,"more":false}}');
  await settled();
  assert.equal(page.lines.numberOf(page.lines.row(page.lines.first)), 70);
});

test('a number that a server does not keep is asked for ever more rarely', async () => {
  const page = pageOf(new History([]), false);
  page.lines.clear('c');
  page.lines.append('x\n', 'd');
  let answered = 0;
  /** Asks as often as there is a reason to in so many refreshes; of each request the end is told. */
  const wait = async (refreshes) => {
    for (let i = 0; i < refreshes; i += 1) {
      page.reader.refresh();
      page.reader.reach(FAR, false, page.lines.first);
      for (; answered < page.said.length; answered += 1) {
        page.hear(`{"place":{"id":${answered + 1},"cursor":"c","line":null,"byte":9,"file":"a","exact":true}}`);
        page.hear(`{"done":{"id":${answered + 1},"more":false}}`);
        await settled();
      }
    }
    return answered;
  };
  const soon = await wait(10);
  assert.ok(soon >= 4, `${soon} requests, one of them for the lines to be counted`);
  await wait(100);
  const before = answered;
  const later = (await wait(100)) - before;
  assert.ok(later >= 10 && later <= 12, `${later} requests`);
  page.reader.begin();
  await wait(1);
  assert.ok(answered > before + later, 'who begins anew asks at once');
});

test('going up, down and elsewhere at random, what is shown is always one stretch of the log', async () => {
  const random = numbersFrom(4);
  for (let round = 0; round < 40; round += 1) {
    const sizes = Array.from({ length: 1 + random(4) }, () => random(120));
    let at = 0;
    const files = sizes.map((size) => {
      at += size;
      return fileOf(at - size, at);
    });
    const whole = files.flatMap((text, i) => [...(i > 0 ? ['-- rotated'] : []), ...text.split('\n').slice(0, -1)]);
    const history = new History(files);
    const page = pageOf(history);
    page.lines.clear(history.end);
    for (let step = 0; step < 30; step += 1) {
      const dice = random(10);
      if (dice < 5) page.reader.reach(ABOVE, page.past, null);
      else if (dice < 9) page.reader.reach(BELOW, page.past, null);
      else {
        const file = random(files.length);
        const offset = files[file].lastIndexOf('\n', random(files[file].length + 1) - 1) + 1;
        page.reader.land(`${file}:${offset}`, { below: null, found: true }, null);
      }
      await settled();
      const shown = page.texts();
      const known = shown.findIndex((text) => text.startsWith('line '));
      const start = known < 0 ? 0 : whole.indexOf(shown[known]) - known;
      if (known >= 0) assert.deepEqual(shown, whole.slice(start, start + shown.length), `round ${round}, step ${step}`);
      assert.ok(shown.length <= LIMITS.rows + 12, `${shown.length} rows`);
      if (!page.past && known >= 0) assert.equal(shown.at(-1), whole.at(-1), 'who is not in the past sees the end');
      if (page.reader.atStart && known >= 0) assert.equal(shown[0], whole[0]);
    }
  }
});

test('every line that is shown can be located', async () => {
  const files = [fileOf(0, 30), `${fileOf(30, 50)}half`];
  const page = pageOf(new History(files));
  page.lines.clear(page.lines.back);
  page.lines.clear(`1:${files[1].length}`);
  page.reader.reach(ABOVE, false, null);
  await settled();
  for (let id = page.lines.first; id < page.lines.end; id += 1) {
    const row = page.lines.row(id);
    if (row.kind !== 'line') continue;
    const [file, offset] = (await page.reader.locate(id)).split(':').map(Number);
    assert.ok(files[file].slice(offset).startsWith(row.text), row.text);
    assert.ok(offset === 0 || files[file][offset - 1] === '\n', row.text);
  }
});
