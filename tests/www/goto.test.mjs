import assert from 'node:assert/strict';
import test from 'node:test';
import { lastTime, meant } from '../../www/goto.js';

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

test('a time of day is of no day; any other form is the server’s to read', () => {
  assert.deepEqual(meant('14:05', NOW), { clock: '14:05:00' });
  assert.deepEqual(meant('9:05:07,250', NOW), { clock: '09:05:07.250' });
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

/** Looks for a time in a log whose last line was written then; says what was asked for. */
async function lastIn(written, clock) {
  const asked = [];
  const sought = await lastTime(clock, NOW, async (goal) => {
    asked.push(goal.time);
    return { kind: 'at', place: { exact: goal.time <= written, cursor: goal.time } };
  });
  return { asked, found: sought.place.exact ? sought.place.cursor : null };
}

test('a time of day is the last that the log has', async () => {
  assert.deepEqual(await lastIn('2026-11-25T15:00:00', '14:05:00'), {
    asked: ['2026-11-25T14:05:00'],
    found: '2026-11-25T14:05:00',
  });
  assert.equal((await lastIn('2026-11-25T14:00:00', '14:05:00')).found, '2026-11-24T14:05:00');
  // A naive twin: day by day.
  for (let days = 0; days < 300; days += 7) {
    const written = new Date(NOW.getTime() - days * 86_400_000).toISOString().slice(0, 19);
    let day = 0;
    const on = () => `${new Date(Date.UTC(2026, 10, 25 - day)).toISOString().slice(0, 10)}T12:00:00`;
    while (on() > written) day += 1;
    const { found, asked } = await lastIn(written, '12:00:00');
    assert.equal(found, on(), written);
    assert.ok(asked.length < 20, `${asked.length} questions`);
  }
  const { found, asked } = await lastIn('1999-01-01T00:00:00', '12:00:00');
  assert.deepEqual([found, asked.length < 12], [null, true], 'a log that is too old is shown from its end');
});

test('a server that refuses is asked no more', async () => {
  const refused = { kind: 'refused', why: { code: 'time', message: 'no' } };
  let asked = 0;
  const sought = await lastTime('12:00:00', NOW, async () => {
    asked += 1;
    return refused;
  });
  assert.deepEqual([sought, asked], [refused, 1]);
});
