import assert from 'node:assert/strict';
import test from 'node:test';
import { Requests } from '../../www/requests.js';
import { read } from '../../www/wire.js';

/** Requests, what was said, and what was heard of each. */
function scene(open = true) {
  const said = [];
  const requests = new Requests((ask) => {
    said.push(ask);
    return open;
  });
  return { said, requests, hear: (json) => requests.hear(read(json)) };
}

const older = (id) => ({ older: { id, before: 'c', lines: 1 } });
const search = (id) => ({ search: { id, grep: ['x'], most: 1 } });

test('each part of an answer goes to who asked, the end ends it', async () => {
  const { said, requests, hear } = scene();
  const parts = [];
  const outcome = requests.ask('other', older, (part) => parts.push(part.kind));
  const found = requests.ask('search', search, (part) => parts.push(part.kind));
  assert.ok(requests.busy);
  assert.deepEqual(said, [older(1), search(2)]);
  assert.ok(hear('{"older":{"id":1,"from":"a","to":"b"}}\nx\n'));
  assert.ok(hear('{"progress":{"id":2,"what":"searching","done":1,"total":2}}'));
  assert.ok(hear('{"hits":{"id":2,"hits":[]}}'));
  assert.ok(hear('{"older":{"id":7,"from":"a","to":"b"}}\nx\n'), 'nobody asked, and nobody minds');
  assert.ok(hear('{"done":{"id":1,"more":true}}'));
  assert.ok(hear('{"done":{"id":2,"more":false,"count":3}}'));
  assert.deepEqual(await outcome, { kind: 'done', more: true, count: null, note: '' });
  assert.deepEqual(await found, { kind: 'done', more: false, count: 3, note: '' });
  assert.deepEqual(parts, ['older', 'progress', 'hits']);
  assert.ok(!requests.busy);
});

test('what is no answer is left to others', () => {
  const { hear } = scene();
  for (const json of ['{"lines":{"from":"a","to":"b"}}\nx', '{"hello":{}}', '{"error":{"message":"no"}}']) {
    assert.ok(!hear(json), json);
  }
  assert.ok(!hear('{"progress":{"id":null,"what":"unpacking","done":1,"total":2}}'));
});

test('a new request of a kind takes the place of the old', async () => {
  const { requests, hear } = scene();
  const first = requests.ask('other', older, () => assert.fail('it is over'));
  const second = requests.ask('other', older, () => {});
  assert.deepEqual(await first, { kind: 'cancelled' });
  hear('{"older":{"id":1,"from":"a","to":"b"}}\nx\n');
  hear('{"done":{"id":1,"cancelled":true}}');
  hear('{"done":{"id":2,"more":false}}');
  assert.deepEqual(await second, { kind: 'done', more: false, count: null, note: '' });
});

test('a request that is cancelled ends at once, and the server is told', async () => {
  const { said, requests } = scene();
  const outcome = requests.ask('search', search, () => {});
  requests.cancel('search');
  requests.cancel('search');
  assert.deepEqual(await outcome, { kind: 'cancelled' });
  assert.deepEqual(said, [search(1), { cancel: { id: 1 } }]);
});

test('a refusal ends it with the server’s sentence, also where it names no request', async () => {
  const { requests, hear } = scene();
  const first = requests.ask('other', older, () => {});
  hear('{"error":{"id":1,"message":"no such cursor"}}');
  assert.deepEqual(await first, { kind: 'refused', why: { code: '', message: 'no such cursor' } });
  const second = requests.ask('other', older, () => {});
  const filter = requests.filter({}, () => assert.fail('it does not hold'));
  assert.ok(hear('{"error":{"code":"syntax","message":"a bad pattern"}}'));
  assert.deepEqual(
    await filter,
    { kind: 'refused', why: { code: 'syntax', message: 'a bad pattern' } },
    'a filter has no number',
  );
  assert.ok(hear('{"error":{"message":"what is that?"}}'));
  assert.deepEqual(
    await second,
    { kind: 'refused', why: { code: '', message: 'what is that?' } },
    'from a server that does not know it',
  );
});

test('a lost connection ends all, and without one nothing begins', async () => {
  const { requests } = scene();
  const all = [
    requests.ask('other', older, () => {}),
    requests.ask('search', search, () => {}),
    requests.filter({}, () => assert.fail('it does not hold')),
  ];
  requests.lose();
  for (const outcome of await Promise.all(all)) assert.deepEqual(outcome, { kind: 'lost' });
  const alone = scene(false);
  assert.deepEqual(await alone.requests.ask('other', older, () => {}), { kind: 'lost' });
  assert.deepEqual(await alone.requests.filter({}, () => {}), { kind: 'lost' });
  assert.ok(!alone.requests.busy);
});
