import assert from 'node:assert/strict';
import test from 'node:test';
import { meant } from '../../www/goto.js';

const NOW = new Date(2026, 10, 25, 15, 46, 0);
const to = (typed) => meant(typed, NOW).to;

test('the two ends, in both languages', () => {
  for (const typed of ['start', ' Top ', '开头']) assert.deepEqual(to(typed), { start: {} });
  for (const typed of ['end', 'LIVE', '末尾']) assert.deepEqual(to(typed), { end: {} });
});

test('a share of the whole', () => {
  assert.deepEqual(to('50%'), { percent: 50 });
  assert.deepEqual(to('37.5 %'), { percent: 37.5 });
  assert.deepEqual(to('37,5％'), { percent: 37.5 });
  assert.deepEqual(to('100%'), { percent: 100 });
  assert.deepEqual(meant('101%', NOW), { problem: 'percent' });
});

test('a line', () => {
  assert.deepEqual(to(':1234'), { line: 1234 });
  assert.deepEqual(to('#7'), { line: 7 });
  assert.deepEqual(meant(':0', NOW), { problem: 'unclear' });
});

test('a time of day is today’s; any other form is the server’s to read', () => {
  assert.deepEqual(to('14:05'), { time: '2026-11-25T14:05:00' });
  assert.deepEqual(to('9:05:07.250'), { time: '2026-11-25T09:05:07.250' });
  assert.deepEqual(to('2026-11-25 14:05:10'), { time: '2026-11-25 14:05:10' });
  assert.deepEqual(to('2026-11-25T14:05:10+01:00'), { time: '2026-11-25T14:05:10+01:00' });
  for (const typed of ['24:00', '12:60']) assert.deepEqual(meant(typed, NOW), { problem: 'unclear' });
});

test('a time ago is an instant, whatever the zone', () => {
  const ago = (ms) => new Date(NOW.getTime() - ms).toISOString();
  assert.deepEqual(to('-10m'), { time: ago(600_000) });
  assert.deepEqual(to('−2 h'), { time: ago(7_200_000) });
  assert.deepEqual(to('-3d'), { time: ago(259_200_000) });
  assert.deepEqual(meant('-999999999d', NOW), { problem: 'unclear' });
});

test('a link to a line, or its cursor', () => {
  const cursor = '4a1f.0badcafe.12.1f40~4a20.0badcafe..0';
  assert.deepEqual(to(cursor), { cursor });
  assert.deepEqual(to(`http://h:8080/logs/#/app.log?grep=x&at=${encodeURIComponent(cursor)}`), { cursor });
  assert.deepEqual(meant('http://h/#/app.log?at=100%', NOW).to?.cursor, undefined, 'a bad escape is no exception');
});

test('what is not understood is said to be so', () => {
  assert.deepEqual(meant('  ', NOW), { problem: 'nothing' });
  for (const typed of ['hello', '--', '%', ':', 'constructor'])
    assert.deepEqual(meant(typed, NOW), { problem: 'unclear' });
});
