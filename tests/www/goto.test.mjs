import assert from 'node:assert/strict';
import test from 'node:test';
import { meant } from '../../www/goto.js';

const to = (typed) => meant(typed).to;

test('the two ends, in both languages', () => {
  for (const typed of ['start', ' Top ', '开头']) assert.deepEqual(to(typed), { start: {} });
  for (const typed of ['end', 'LIVE', '末尾']) assert.deepEqual(to(typed), { end: {} });
});

test('a share of the whole', () => {
  assert.deepEqual(to('50%'), { percent: 50 });
  assert.deepEqual(to('37.5 %'), { percent: 37.5 });
  assert.deepEqual(to('37,5％'), { percent: 37.5 });
  assert.deepEqual(to('100%'), { percent: 100 });
  assert.deepEqual(meant('101%'), { problem: 'percent' });
});

test('a line', () => {
  assert.deepEqual(to(':1234'), { line: 1234 });
  assert.deepEqual(to('#7'), { line: 7 });
  assert.deepEqual(meant(':0'), { problem: 'unclear' });
});

test('a time, in whatever form, is the server’s to read', () => {
  for (const typed of ['14:05', '9:05:07,250', '-10m', '−2 h', '2026-11-25 14:05:10', '24:00', '25 Nov']) {
    assert.deepEqual(to(` ${typed} `), { time: typed });
  }
});

test('a link to a line, or its cursor', () => {
  const cursor = '4a1f.0badcafe.12.1f40~4a20.0badcafe..0';
  assert.deepEqual(to(cursor), { cursor });
  assert.deepEqual(to(`http://h:8080/logs/#/app.log?grep=x&at=${encodeURIComponent(cursor)}`), { cursor });
  assert.deepEqual(meant('http://h/#/app.log?at=100%').to?.cursor, undefined, 'a bad escape is no exception');
});

test('what is not understood is said to be so', () => {
  assert.deepEqual(meant('  '), { problem: 'nothing' });
  for (const typed of ['hello', '--', '%', ':', 'constructor']) assert.deepEqual(meant(typed), { problem: 'unclear' });
});
