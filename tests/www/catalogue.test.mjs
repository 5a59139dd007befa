import assert from 'node:assert/strict';
import test from 'node:test';
import { merged } from '../../www/catalogue.js';
import { readCatalogue } from '../../www/wire.js';
import { numbersFrom } from './random.mjs';

const log = (name, group = 'g', state = 'ok') => ({ name, group, state });
const list = (logs, more = {}) => readCatalogue({ logs, version: 'v1', ...more });
const names = ({ logs }) => logs.map(({ name }) => name);

test('what has come is put in its group by its name, what has changed takes its place, what was removed goes', () => {
  const known = list([log('a'), log('c'), log('x', 'h')]);
  const since = { since: 'v1', version: 'v2' };
  const changes = [log('b'), log('d'), log('y', 'h'), log('z', 'new'), log('c', 'g', 'missing')];
  const now = merged(known, list(changes, { ...since, removed: ['a', 'nobody'] }));
  assert.deepEqual(names(now), ['b', 'c', 'd', 'x', 'y', 'z']);
  assert.equal(now.logs[1].state, 'missing');
  assert.equal(now.version, 'v2');
  assert.deepEqual(names(known), ['a', 'c', 'x'], 'what was known before is not touched');
});

test('a whole list stands for itself, and where nothing is known so do changes', () => {
  const known = list([log('a')]);
  assert.deepEqual(names(merged(known, list([log('b')]))), ['b']);
  assert.deepEqual(names(merged(null, list([log('b')], { since: 'v0' }))), ['b']);
});

test('whatever comes and goes, the list is the one that is made anew', () => {
  const below = numbersFrom(7);
  let now = list([]);
  const truth = new Map();
  for (let step = 0; step < 500; step += 1) {
    const name = String.fromCharCode(97 + below(26));
    const gone = below(10) < 4 && truth.delete(name);
    if (!gone) truth.set(name, log(name, name < 'm' ? 'g' : 'h', below(5) === 0 ? 'missing' : 'ok'));
    const change = gone ? { removed: [name] } : {};
    now = merged(now, list(gone ? [] : [truth.get(name)], { since: 'v', ...change }));
    const all = [...truth.values()].map((one) => `${one.group} ${one.name} ${one.state}`).sort();
    assert.deepEqual(now.logs.map((one) => `${one.group} ${one.name} ${one.state}`).sort(), all);
    for (const group of ['g', 'h']) {
      const members = now.logs.filter((one) => one.group === group).map((one) => one.name);
      assert.deepEqual(members, [...members].sort());
    }
  }
});
