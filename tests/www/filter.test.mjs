import assert from 'node:assert/strict';
import test from 'node:test';
import {
  conditions,
  filterIn,
  filterQuery,
  NO_FILTER,
  patternsOf,
  patternsQuery,
  samePatterns,
  withChip,
  withoutChip,
} from '../../www/filter.js';
import { Filtering } from '../../www/filtering.js';
import { Requests } from '../../www/requests.js';
import { read } from '../../www/wire.js';

const only = (text) => ({ text, not: false });
const hide = (text) => ({ text, not: true });
const filterOf = (...chips) => ({ ...NO_FILTER, chips });

test('chips become patterns, by default text whose case makes no difference', () => {
  assert.equal(patternsOf(NO_FILTER), null);
  assert.deepEqual(patternsOf(filterOf(only('a'), hide('b'), only('c'))), {
    grep: ['a', 'c'],
    not: ['b'],
    ignore_case: true,
    words: false,
    literal: true,
  });
  const manner = { exactCase: true, words: true, regex: true };
  const { ignore_case, words, literal } = patternsOf({ ...filterOf(only('a')), manner });
  assert.deepEqual([ignore_case, words, literal], [false, true, false]);
});

test('what is being typed counts, a filter that is off does not', () => {
  const typing = { ...filterOf(only('a')), draft: hide('b') };
  assert.deepEqual(patternsOf(typing).not, ['b']);
  assert.equal(conditions(typing), 2);
  assert.equal(patternsOf({ ...typing, on: false }), null);
});

test('a chip is added once, and taken away', () => {
  const one = withChip({ ...NO_FILTER, on: false, draft: only('a') }, only('a'));
  assert.deepEqual([one.chips, one.draft.text, one.on], [[only('a')], '', true]);
  assert.equal(withChip(one, only('a')).chips.length, 1);
  assert.equal(withChip(one, hide('a')).chips.length, 2, 'the contrary is another');
  assert.equal(withChip(one, only('')).chips.length, 1);
  assert.deepEqual(withoutChip(filterOf(only('a'), only('b'), only('c')), 1).chips, [only('a'), only('c')]);
});

test('a filter survives being an address', () => {
  const filters = [
    NO_FILTER,
    filterOf(only('a b'), only('ü&=?#+%'), hide('<script>')),
    { ...filterOf(hide('x')), manner: { exactCase: true, words: true, regex: true } },
    { ...filterOf(only('x')), on: false },
  ];
  for (const filter of filters) {
    assert.deepEqual(filterIn(new URLSearchParams(filterQuery(filter).toString())), filter);
  }
  assert.deepEqual(filterIn(new URLSearchParams('grep=&not=')), NO_FILTER);
  const address = patternsQuery(patternsOf(filterOf(only('x'), hide('y'))));
  assert.equal(address.toString(), 'grep=x&not=y&ignore_case=1&literal=1');
});

/** A filtering page and its server, which the test plays. */
function scene() {
  const scene = {
    ready: true,
    applied: null,
    said: [],
    log: [],
    timers: [],
    place: null,
    tick() {
      for (const run of scene.timers.splice(0)) run();
    },
    hear: (json) => requests.hear(read(json)),
  };
  const requests = new Requests((ask) => scene.said.push(ask) > 0);
  scene.filtering = new Filtering(requests, {
    state: () => ({ ready: scene.ready, applied: scene.applied }),
    place: async () => scene.place,
    apply: (filter, cursor, place) => {
      scene.applied = filter;
      scene.log.push([filter?.grep ?? null, cursor, place]);
    },
    changed: () => {},
    after: (run) => scene.timers.push(run),
  });
  scene.requests = requests;
  return scene;
}

const settled = () => new Promise((done) => setImmediate(done));

test('a filter is told to the server, and holds when the server says so', async () => {
  const s = scene();
  s.place = { cursor: 'p', below: 3 };
  s.filtering.set(filterOf(only('a')));
  await settled();
  assert.deepEqual(s.said, [{ filter: { grep: ['a'], not: [], ignore_case: true, words: false, literal: true } }]);
  assert.ok(s.filtering.pending);
  s.hear('{"filtered":{"cursor":"c","active":true}}');
  assert.deepEqual(s.log, [[['a'], 'c', { cursor: 'p', below: 3 }]], 'at once, before anything else is heard');
  await settled();
  assert.ok(!s.filtering.pending);
  s.filtering.apply();
  await settled();
  assert.equal(s.said.length, 1, 'what holds is not said again');
  s.filtering.set({ ...s.filtering.filter, on: false });
  await settled();
  assert.deepEqual(s.said[1], { filter: {} });
});

test('while somebody types, nothing is said until there is a rest', async () => {
  const s = scene();
  for (const text of ['a', 'ab', 'abc']) s.filtering.set({ ...NO_FILTER, draft: only(text) }, true);
  await settled();
  assert.equal(s.said.length, 0);
  s.tick();
  await settled();
  assert.deepEqual(
    s.said.map((ask) => ask.filter.grep),
    [['abc']],
  );
});

test('what changed while the server was asked is asked next', async () => {
  const s = scene();
  s.filtering.set(filterOf(only('a')));
  await settled();
  s.filtering.set(filterOf(only('b')));
  await settled();
  assert.equal(s.said.length, 1, 'one at a time');
  s.hear('{"filtered":{"cursor":"c","active":true}}');
  await settled();
  assert.deepEqual(
    s.said.map((ask) => ask.filter.grep),
    [['a'], ['b']],
  );
});

test('a bad pattern is told at the field, changes nothing, and is not tried again', async () => {
  const s = scene();
  s.filtering.set(filterOf(only('((')));
  await settled();
  s.hear('{"error":{"code":"syntax","message":"the pattern is bad"}}');
  await settled();
  const bad = { code: 'syntax', message: 'the pattern is bad' };
  assert.deepEqual([s.filtering.refused, s.log, s.filtering.pending], [bad, [], false]);
  s.filtering.apply();
  await settled();
  assert.equal(s.said.length, 1);
  s.filtering.set(filterOf(only('(')));
  await settled();
  assert.deepEqual([s.filtering.refused, s.said.length], [null, 2]);
});

test('a lost connection loses no filter', async () => {
  const s = scene();
  s.filtering.set(filterOf(only('a')));
  await settled();
  s.ready = false;
  s.requests.lose();
  await settled();
  assert.equal(s.filtering.refused, null);
  s.ready = true;
  s.filtering.apply();
  await settled();
  assert.equal(s.said.length, 2);
});

test('two filters are the same if they say the same', () => {
  assert.ok(samePatterns(null, null));
  assert.ok(samePatterns(patternsOf(filterOf(only('a'))), patternsOf({ ...NO_FILTER, draft: only('a') })));
  assert.ok(!samePatterns(patternsOf(filterOf(only('a'))), patternsOf(filterOf(hide('a')))));
});
