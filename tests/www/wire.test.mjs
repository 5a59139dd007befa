import assert from 'node:assert/strict';
import test from 'node:test';
import { cursorAfter, offsetIn, read, readCatalogue, readJob, SAY } from '../../www/wire.js';

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
    encoding: null,
    redacted: false,
    filter: false,
    bounded: false,
  });
  assert.ok(read('{"hello":{"bounded":true}}').bounded);
  const { encoding, redacted, filter } = read('{"hello":{"encoding":"UTF-16LE","redacted":true,"filter":true}}');
  assert.deepEqual([encoding, redacted, filter], ['UTF-16LE', true, true]);
});

test('parts of the history have their text behind the newline, or say why there is none', () => {
  const stretch = { id: 1, from: 'a', to: 'b', bytes: 9, begins: 'rotated', gap: null, text: 'one\ntwo\n' };
  const head = '{"older":{"id":1,"from":"a","to":"b","bytes":9,"begins":"rotated"}}';
  assert.deepEqual(read(`${head}\none\ntwo\n`), { kind: 'older', ...stretch });
  assert.deepEqual(read('{"newer":{"id":2,"from":"a","to":"b","bytes":null,"gap":"hole"}}'), {
    kind: 'newer',
    ...{ id: 2, from: 'a', to: 'b', bytes: null, begins: null, gap: 'hole', text: '' },
  });
  assert.equal(read('{"older":{"begins":"<b>"}}').begins, null);
});

test('hits, with marks that one can cut at', () => {
  const hit = { cursor: 'c', line: 12, byte: 34, file: 'app.log', text: '0123456789', at: 0.5 };
  const good = {
    ...hit,
    marks: [
      [0, 2],
      [2, 4],
      [8, 10],
    ],
  };
  const { hits } = read(JSON.stringify({ hits: { id: 4, hits: [good, null, 7] } }));
  assert.deepEqual(hits, [good]);
  const bad = [[5, 4], [1, 3], [2, 4], [9, 11], [-1, 2], [0.5, 1], 'x', null, [4]];
  const odd = { ...hit, marks: bad, line: null, at: 7 };
  assert.deepEqual(read(JSON.stringify({ hits: { id: 4, hits: [odd] } })).hits, [
    { ...hit, marks: [[1, 3]], line: null, at: 1 },
  ]);
  assert.deepEqual(read('{"hits":{"id":4}}').hits, []);
});

test('places, progress and ends', () => {
  assert.deepEqual(read('{"place":{"id":3,"cursor":"c","line":null,"byte":5,"file":"a.1","exact":true}}'), {
    kind: 'place',
    ...{ id: 3, cursor: 'c', line: null, byte: 5, file: 'a.1', exact: true },
  });
  assert.deepEqual(read('{"progress":{"id":4,"what":"searching","done":1,"total":2,"count":17,"map":[0,3,"x"]}}'), {
    kind: 'progress',
    ...{ id: 4, what: 'searching', done: 1, total: 2, count: 17, map: [0, 3, 0] },
  });
  assert.deepEqual(read('{"progress":{"id":null,"what":"unpacking","done":1,"total":2}}').map, []);
  assert.deepEqual(read('{"done":{"id":4,"more":true,"count":17}}'), {
    kind: 'done',
    ...{ id: 4, more: true, count: 17, cancelled: false, note: '' },
  });
  assert.equal(read('{"done":{"id":4,"note":"It is gone."}}').note, 'It is gone.');
  assert.ok(read('{"done":{"id":4,"cancelled":true}}').cancelled);
  assert.deepEqual(read('{"filtered":{"cursor":"c","active":true}}'), { kind: 'filtered', cursor: 'c', active: true });
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
  assert.deepEqual(read('{"error":{"message":"no"}}'), { kind: 'error', id: null, code: '', message: 'no' });
  const { id, code } = read('{"error":{"id":7,"code":"time","message":"no"}}');
  assert.deepEqual([id, code], [7, 'time']);
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
    '{"novelty":{"n":1}}',
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
  assert.equal(cursorAfter(read('{"filtered":{"cursor":"f","active":true}}')), 'f');
  assert.equal(cursorAfter(read('{"newer":{"id":1,"from":"a","to":"b"}}\nx')), null, 'it is not of the stream');
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
  const good = {
    name: 'a',
    group: 'g',
    size: 1,
    modified: 2,
    kind: 'file',
    state: 'missing',
    why: 'gone',
    viewers: 3,
    writable: true,
  };
  assert.deepEqual(
    readCatalogue({
      logs: [good],
      version: 'v2',
      since: 'v1',
      removed: ['b', 7],
      server: 's',
      lines: 1000,
      demo: true,
      user: 'ada',
    }),
    {
      logs: [good],
      ...{ removed: ['b', ''], version: 'v2', since: 'v1' },
      server: 's',
      demo: true,
      user: 'ada',
    },
  );
  assert.deepEqual(readCatalogue({ logs: [{ name: 'a' }, { name: '' }, null, 7] }), {
    logs: [
      { name: 'a', group: '', kind: '', size: null, modified: null, state: 'ok', why: '', viewers: 0, writable: false },
    ],
    ...{ removed: [], version: '', since: '' },
    server: '',
    demo: false,
    user: '',
  });
  for (const json of [null, 1, 'x', [], { logs: {} }]) assert.deepEqual(readCatalogue(json).logs, []);
});

test('a job is read with care', () => {
  const run = { run: 7, started: 10, took: 5, stopped: 'timeout', from: 'c' };
  const ends = [null, { exit: 3 }, { signal: 15 }, { failed: 'no' }, 'lost', { odd: 1 }];
  const job = readJob({ name: 'j', about: 'x', running: true, runs: ends.map((end) => ({ ...run, end })) });
  assert.deepEqual(
    job.runs.map(({ end }) => end),
    [
      null,
      { kind: 'exit', code: 3 },
      { kind: 'signal', signal: 15 },
      { kind: 'failed', why: 'no' },
      { kind: 'lost' },
      { kind: 'lost' },
    ],
  );
  assert.deepEqual(job.runs[0], { ...run, end: null });
  const odd = readJob({ name: 'j', runs: ['asked', true, 'odd', null].map((stopped) => ({ ...run, stopped })) });
  assert.deepEqual(
    odd.runs.map(({ stopped }) => stopped),
    ['asked', null, null, null],
  );
  assert.deepEqual(readJob({ name: 'j' }), { name: 'j', about: '', running: false, startable: true, runs: [] });
  assert.equal(readJob({ name: 'j', startable: false })?.startable, false);
  for (const json of [null, 1, [], {}, { name: 7 }]) assert.equal(readJob(json), null);
});
