import assert from 'node:assert/strict';
import test from 'node:test';
import { Heights } from '../../www/heights.js';
import { numbersFrom } from './random.mjs';

test('rows lie below each other', () => {
  const heights = new Heights();
  for (const height of [10, 20, 30]) heights.push(height);
  assert.equal(heights.total, 60);
  assert.deepEqual(
    [0, 1, 2, 3].map((id) => heights.top(id)),
    [0, 10, 30, 60],
  );
  assert.deepEqual(
    [-5, 0, 9, 10, 29, 30, 59, 60, 1000].map((y) => heights.at(y)),
    [0, 0, 0, 1, 1, 2, 2, 2, 2],
  );
});

test('agrees with a plain list after any list of operations', () => {
  const random = numbersFrom(11);
  for (let round = 0; round < 40; round += 1) {
    const heights = new Heights();
    heights.reset(random(2000) - 1000);
    let first = heights.first;
    /** @type {number[]} */
    let list = [];
    for (let step = 0; step < 80; step += 1) {
      const dice = random(13);
      if (dice < 5) {
        for (let i = random(300); i > 0; i -= 1) {
          const height = 1 + random(50);
          heights.push(height);
          list.push(height);
        }
      } else if (dice < 7 && list.length > 0) {
        const at = random(list.length);
        list[at] = 1 + random(50);
        heights.set(first + at, list[at]);
      } else if (dice < 9) {
        const gone = random(400);
        heights.dropBefore(first + gone);
        first += Math.min(gone, list.length);
        list = list.slice(gone);
      } else if (dice === 10) {
        const gone = Math.min(random(400), list.length);
        list = list.slice(0, list.length - gone);
        heights.dropFrom(first + list.length);
      } else if (dice > 10) {
        for (let i = random(300); i > 0; i -= 1) {
          const height = 1 + random(50);
          heights.unshift(height);
          list.unshift(height);
          first -= 1;
        }
      }
      assert.equal(heights.first, first);
      assert.equal(heights.end, first + list.length);
      const total = list.reduce((sum, height) => sum + height, 0);
      assert.equal(heights.total, total);
      assert.equal(heights.top(heights.end), total);
      if (list.length === 0) continue;
      const at = random(list.length);
      const above = list.slice(0, at).reduce((sum, height) => sum + height, 0);
      assert.equal(heights.top(first + at), above);
      assert.equal(heights.at(above), first + at);
      assert.equal(heights.at(above + list[at] - 1), first + at);
      assert.equal(heights.at(total + 5), first + list.length - 1);
      assert.equal(heights.at(-1), first);
    }
  }
});
