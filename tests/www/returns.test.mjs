import assert from 'node:assert/strict';
import test from 'node:test';
import { excerpt } from '../../www/hits.js';
import { lastState, matchesOverwritten, shownText } from '../../www/returns.js';
import { numbersFrom } from './random.mjs';

test('a line shows the last state that says anything, and tells how many it took the place of', () => {
  const cases = [
    ['no return', 'no return', 0],
    ['10%\r20%\r30%', '30%', 2],
    ['10%\r20%\r', '20%', 1],
    ['\r10%', '10%', 0],
    ['Windows\r', 'Windows', 0],
    ['twice\r\r', 'twice', 0],
    ['10%\r\r\r20%', '20%', 1],
    ['10%\r\x1b[K', '10%', 0],
    ['10%\r\x1b[K\x1b[32mdone\x1b[0m', '\x1b[K\x1b[32mdone\x1b[0m', 1],
    ['10%\r     \rdone', 'done', 1],
    ['10%\r     \r', '10%', 0],
    ['', '', 0],
    ['\r', '', 0],
    ['\r\x1b[K\r', '', 0],
  ];
  for (const [text, shown, over] of cases) {
    assert.equal(shownText(text), shown, JSON.stringify(text));
    assert.equal(lastState(text).over, over, JSON.stringify(text));
  }
});

test('what the server put before a line is not written over', () => {
  assert.deepEqual(lastState('E| 10%\r20%', 3), { from: 7, to: 10, over: 1 });
  assert.deepEqual(lastState('E| 10%', 3), { from: 3, to: 6, over: 0 });
});

/** What a terminal that is wide enough shows in the end. */
function terminal(text) {
  const cells = [];
  let column = 0;
  for (const character of text) {
    if (character === '\r') column = 0;
    else cells[column++] = character;
  }
  return cells.join('');
}

test('at random: where no state is shorter than the one before, it is what a terminal shows', () => {
  const number = numbersFrom(7);
  for (let round = 0; round < 2_000; round += 1) {
    let length = 1;
    let text = '\r'.repeat(number(2));
    for (let states = number(6); states >= 0; states -= 1) {
      length += number(3);
      text += Array.from({ length }, () => 'abc#='[number(5)]).join('') + '\r'.repeat(1 + number(2));
    }
    if (number(2) === 0) text = text.trimEnd();
    assert.equal(shownText(text), terminal(text), JSON.stringify(text));
  }
});

test('a line of nothing but returns is no work', () => {
  const began = performance.now();
  lastState('\r'.repeat(64 * 1024));
  lastState('x\r'.repeat(32 * 1024));
  assert.ok(performance.now() - began < 1_000);
});

test('where a match lies, or may lie, in what was written over, the line is shown whole', () => {
  const text = '10%\r20%\r30%';
  assert.ok(matchesOverwritten(text, [[4, 6]], true));
  assert.ok(matchesOverwritten(text, [[4, 6]], false), 'whether one was led there or not');
  assert.ok(!matchesOverwritten(text, [[8, 11]], true));
  assert.ok(matchesOverwritten(text, undefined, true), 'nobody knows where it matched');
  assert.ok(!matchesOverwritten(text, undefined, false));
  assert.ok(!matchesOverwritten('30%', [[0, 2]], true));
});

test('the list of hits shows the state that matched', () => {
  const hit = { cursor: 'c', line: 1, byte: 0, file: 'f', at: 0 };
  const marks = [
    [4, 6],
    [8, 10],
  ];
  assert.deepEqual(excerpt({ ...hit, text: '10%\r20%\r20%', marks }, 60), { text: '20%', marks: [[0, 2]] });
  assert.deepEqual(excerpt({ ...hit, text: '20%\r30%', marks: [[0, 2]] }, 60), { text: '20%', marks: [[0, 2]] });
  const across = excerpt({ ...hit, text: 'a\rb\rc', marks: [[0, 3]] }, 60);
  assert.deepEqual(across, { text: 'a\rb', marks: [[0, 3]] }, 'or the states');
});
