import assert from 'node:assert/strict';
import test from 'node:test';
import { cursorAfter, offsetIn, read, readCatalogue, SAY } from '../../www/wire.js';

test('hello', () => {
  const message = read(
    '{"hello":{"name":"app.log","cursor":"1.ab.0","size":7,"lines":1000,"server":"wiretail 0.1.0"}}',
  );
  assert.deepEqual(message, {
    kind: 'hello',
    name: 'app.log',
    cursor: '1.ab.0',
    size: 7,
    lines: 1000,
    server: 'wiretail 0.1.0',
  });
});

test('lines have their text behind the newline, byte for byte', () => {
  const head = '{"lines":{"from":"a","to":"b","bytes":9}}';
  for (const text of ['', 'x', 'one\ntwo', '\n', '{"gap":{}}\n', '\r\n', 'ünï😀']) {
    assert.deepEqual(read(`${head}\n${text}`), { kind: 'lines', from: 'a', to: 'b', bytes: 9, text });
  }
});

test('marks and the rest', () => {
  assert.deepEqual(read('{"rotated":{"cursor":"c"}}'), { kind: 'rotated', cursor: 'c' });
  assert.deepEqual(read('{"truncated":{"cursor":"c"}}'), { kind: 'truncated', cursor: 'c' });
  assert.deepEqual(read('{"gap":{"from":"a","to":"b","bytes":null,"why":"hole"}}'), {
    kind: 'gap',
    from: 'a',
    to: 'b',
    bytes: null,
    why: 'hole',
  });
  assert.deepEqual(read('{"missing":{"why":"gone"}}'), { kind: 'missing', why: 'gone' });
  assert.deepEqual(read('{"back":{}}'), { kind: 'back' });
  assert.deepEqual(read('{"behind":{"bytes":5}}'), { kind: 'behind', bytes: 5 });
  assert.deepEqual(read('{"end":{}}'), { kind: 'end' });
  assert.deepEqual(read('{"pong":{}}'), { kind: 'pong' });
  assert.deepEqual(read('{"error":{"message":"no"}}'), { kind: 'error', message: 'no' });
});

test('what is not understood is unknown, never an exception', () => {
  const strange = [
    '',
    'x',
    '{}',
    '[]',
    'null',
    '1',
    '{"a":{},"b":{}}',
    '{"lines":1}',
    '{"lines":null}',
    '{"hits":{"n":1}}',
  ];
  for (const data of [...strange, '{"__proto__":{}}', '{"constructor":{}}']) {
    assert.equal(read(data).kind, 'unknown', data);
  }
  assert.deepEqual(read('{"lines":{"from":1,"to":{},"bytes":-1}}'), {
    kind: 'lines',
    from: '',
    to: '',
    bytes: 0,
    text: '',
  });
});

test('where to go on: behind what was processed, and never at hello', () => {
  assert.equal(cursorAfter(read('{"lines":{"from":"a","to":"b","bytes":1}}\nx')), 'b');
  assert.equal(cursorAfter(read('{"gap":{"from":"a","to":"c","bytes":1,"why":"rotated"}}')), 'c');
  assert.equal(cursorAfter(read('{"rotated":{"cursor":"d"}}')), 'd');
  assert.equal(cursorAfter(read('{"truncated":{"cursor":"e"}}')), 'e');
  for (const data of ['{"hello":{"cursor":"x"}}', '{"back":{}}', '{"behind":{"bytes":1}}', '{"lines":{}}']) {
    assert.equal(cursorAfter(read(data)), null);
  }
});

test('an offset is read from a cursor if it looks like one', () => {
  assert.equal(offsetIn('2c41f.9f86d081884c7d65.0badcafe.ff'), 255);
  assert.equal(offsetIn('1.ab.ef.10~2.cd.ef.20'), 32, 'the newest generation is the last');
  for (const cursor of ['', 'x', '1.2', '1.2.3', '1.2.3.g', '1.2.3.4.5', '1.2.3.ffffffffffffff'])
    assert.equal(offsetIn(cursor), null);
});

test('what the page says is JSON with one key', () => {
  for (const [name, text] of Object.entries(SAY)) assert.deepEqual(JSON.parse(text), { [name]: {} });
});

test('the list of logs is read with care', () => {
  const good = { name: 'a', group: 'g', size: 1, modified: 2, kind: 'file', state: 'missing', why: 'gone', viewers: 3 };
  assert.deepEqual(readCatalogue({ logs: [good], server: 's', lines: 1000, demo: true }), {
    logs: [{ name: 'a', group: 'g', size: 1, modified: 2, state: 'missing', why: 'gone', viewers: 3 }],
    server: 's',
    demo: true,
  });
  assert.deepEqual(readCatalogue({ logs: [{ name: 'a' }, { name: '' }, null, 7] }), {
    logs: [{ name: 'a', group: '', size: null, modified: null, state: 'ok', why: '', viewers: 0 }],
    server: '',
    demo: false,
  });
  for (const json of [null, 1, 'x', [], { logs: {} }]) assert.deepEqual(readCatalogue(json).logs, []);
});
