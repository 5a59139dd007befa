import assert from 'node:assert/strict';
import test from 'node:test';
import { LITERAL } from '../../www/filter.js';
import { excerpt, placeOf } from '../../www/hits.js';
import { Requests } from '../../www/requests.js';
import { Searching } from '../../www/searching.js';
import { read } from '../../www/wire.js';

const settled = () => new Promise((done) => setImmediate(done));
const hitAt = (at, text = `hit at ${at}`) => ({
  ...{ cursor: `c${at}`, line: 1, byte: at * 1000, file: 'app.log', text, marks: [[0, 3]], at },
});

function scene(connected = true) {
  const said = [];
  const requests = new Requests((ask) => {
    said.push(ask);
    return connected;
  });
  const searching = new Searching(requests, () => {});
  const hear = (json) => requests.hear(read(JSON.stringify(json)));
  return { said, requests, searching, hear, hits: (id, ...hits) => hear({ hits: { id, hits } }) };
}

const order = ({ found }) => found.hits.map((hit) => hit.at);

test('hits come nearest first and are kept in the log’s order', async () => {
  const { said, searching, hear, hits } = scene();
  searching.start('hit', { ...LITERAL, words: true }, 'c');
  assert.deepEqual(said[0].search, {
    ...{ id: 1, grep: ['hit'], not: [], ignore_case: true, words: true, literal: true, from: 'c', most: 1000 },
  });
  hits(1, hitAt(0.5), hitAt(0.4));
  hits(1, hitAt(0.6), hitAt(0.1));
  assert.deepEqual(order(searching), [0.1, 0.4, 0.5, 0.6]);
  hear({ progress: { id: 1, what: 'searching', done: 1, total: 4, count: 9, map: [0, 4] } });
  const { phase, share, count, map } = searching.found;
  assert.deepEqual([phase, share, count, map], ['running', 0.25, 9, [0, 4]]);
  hear({ done: { id: 1, count: 12, more: true } });
  await settled();
  assert.deepEqual([searching.found.phase, searching.found.count, searching.found.more], ['done', 12, true]);
  searching.start('hit', LITERAL, 'gone');
  hear({ done: { id: 2, count: 0, more: false, note: 'This search began at the end.' } });
  await settled();
  assert.notEqual(searching.found.note, '');
});

test('the numbers of the lines come later, also when the search is done, and not those of another search', async () => {
  const { searching, hear, hits } = scene();
  const place = ({ found }) => found.hits.map((hit) => placeOf(hit, 'en'));
  searching.start('hit', LITERAL, null);
  hits(1, { ...hitAt(0.5), line: null }, { ...hitAt(0.4), line: null });
  hear({ numbers: { id: 1, lines: [[1, 40]] } });
  assert.deepEqual(place(searching), ['app.log:40', 'app.log +500']);
  const before = searching.found.hits;
  hear({ done: { id: 1, count: 2, more: false } });
  await settled();
  hear({ numbers: { id: 1, lines: [[0, 50], [7, 1], ['x', 2], 3] } });
  assert.deepEqual(place(searching), ['app.log:40', 'app.log:50']);
  assert.notEqual(searching.found.hits, before, 'so the list is drawn anew');
  searching.start('other', LITERAL, null);
  hits(2, { ...hitAt(0.5), line: null });
  hear({ numbers: { id: 1, lines: [[0, 50]] } });
  assert.deepEqual(place(searching), ['app.log +500']);
});

test('the first step leads to the nearest hit, the next ones along the log and round its ends', () => {
  const { searching, hits } = scene();
  searching.start('hit', LITERAL, null);
  assert.equal(searching.step(1), null);
  hits(1, hitAt(0.5), hitAt(0.4), hitAt(0.6));
  assert.equal(searching.step(-1).at, 0.5);
  assert.equal(searching.step(1).at, 0.6);
  hits(1, hitAt(0.2));
  assert.equal(searching.found.hits[searching.found.index].at, 0.6, 'one stays where one is');
  assert.equal(searching.step(1).at, 0.2);
  assert.equal(searching.step(-1).at, 0.6);
  assert.equal(searching.choose(1).at, 0.4);
});

test('a search can be stopped, is lost with the connection, and may be refused', async () => {
  const { said, requests, searching, hear, hits } = scene();
  searching.start('a', LITERAL, null);
  hits(1, hitAt(0.5));
  searching.cancel();
  await settled();
  assert.deepEqual(
    [said[1], searching.found.phase, searching.found.hits.length],
    [{ cancel: { id: 1 } }, 'cancelled', 1],
  );
  hits(1, hitAt(0.6));
  assert.equal(searching.found.hits.length, 1, 'what still comes of it is not taken');
  searching.start('a', LITERAL, null);
  requests.lose();
  await settled();
  assert.equal(searching.found.phase, 'lost');
  searching.start('((', { ...LITERAL, regex: true }, null);
  hear({ error: { id: 3, message: 'that is no pattern' } });
  await settled();
  assert.deepEqual([searching.found.phase, searching.found.refusal?.message], ['refused', 'that is no pattern']);
  const alone = scene(false);
  alone.searching.start('a', LITERAL, null);
  await settled();
  assert.equal(alone.searching.found.phase, 'lost');
});

test('a new search takes the place of the old, also one for the same', async () => {
  const { searching, hits } = scene();
  searching.start('a', LITERAL, null);
  hits(1, hitAt(0.5));
  searching.start('a', LITERAL, null);
  await settled();
  assert.deepEqual([searching.found.phase, searching.found.hits.length], ['running', 0]);
  hits(1, hitAt(0.7));
  hits(2, hitAt(0.6));
  assert.deepEqual(order(searching), [0.6]);
  searching.clear();
  await settled();
  assert.equal(searching.found.phase, 'idle');
});

test('a line is marked where the server found it', () => {
  const { searching, hits } = scene();
  searching.start('hit', LITERAL, null);
  hits(1, hitAt(0.5, 'hit me'));
  assert.deepEqual(searching.marksIn('hit me'), [[0, 3]]);
  assert.equal(searching.marksIn('hit me not'), undefined);
  searching.choose(0);
  assert.deepEqual(searching.marksIn('hit me not'), [[0, 3]], 'of a long line, the hit may have only the beginning');
  searching.clear();
  assert.equal(searching.marksIn('hit me'), undefined);
});

test('of a long hit, the part around the first match is shown', () => {
  const short = { ...hitAt(0.5, 'hit me'), marks: [[0, 3]] };
  assert.deepEqual(excerpt(short, 60), { text: 'hit me', marks: [[0, 3]] });
  const text = `${'x'.repeat(200)}needle and more needle`;
  const shown = excerpt(
    {
      ...hitAt(0.5, text),
      marks: [
        [200, 206],
        [216, 222],
      ],
    },
    60,
  );
  assert.deepEqual(
    shown.marks.map(([from, to]) => shown.text.slice(from, to)),
    ['needle', 'needle'],
  );
  assert.equal(shown.marks[0][0], 21);
  const wide = excerpt({ ...hitAt(0.5, `${'😀'.repeat(100)}needle`), marks: [[200, 206]] }, 63);
  assert.ok(wide.text.isWellFormed(), 'no character is torn');
  const [[from, to]] = wide.marks;
  assert.equal(wide.text.slice(from, to), 'needle');
});

test('where a hit is: its line, or else its byte', () => {
  assert.equal(placeOf(hitAt(1), 'en'), 'app.log:1');
  assert.equal(placeOf({ ...hitAt(1), line: null, byte: 3456 }, 'en'), 'app.log +3,456');
});
