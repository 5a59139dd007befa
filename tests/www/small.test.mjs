import assert from 'node:assert/strict';
import test from 'node:test';
import { columnsOf, rowsOf } from '../../www/columns.js';
import { levelOf } from '../../www/levels.js';
import { Meter } from '../../www/meter.js';
import { hashFor, logIn, queryIn, streamUrl } from '../../www/route.js';
import { DEFAULTS, readSettings, SIZES, sizeFrom } from '../../www/settings.js';

test('levels are judged by their place and form', () => {
  const cases = {
    error: [
      '2026-11-21 00:36:12.123 ERROR [worker-1] failed',
      '2026-11-21T00:36:12Z  FATAL out of memory',
      'ERROR:root:message',
      '2026-11-21 00:36:12,123 - name - CRITICAL - message',
      '2026/11/21 00:36:12 [error] 1123#1123: *1 open() failed',
      'time="2026-11-21T00:36:12Z" level=error msg=x',
      '{"level":"error","msg":"x"}',
      '[\x1b[31merror\x1b[0m] something broke',
      'E1121 00:36:12.000001   12 main.go:88] x',
      '<3>kernel: x',
      '2026-11-21 00:36:12 错误 连接失败',
      '【错误】 x',
    ],
    warn: [
      '2026-11-21 00:36:12 WARN x',
      'WARNING: x',
      '[warn] x',
      'level=warning msg=x',
      'W1121 00:36:12.0 1 a.go:1] x',
      '<4>x',
    ],
    debug: ['2026-11-21 DEBUG x', 'TRACE x', '[debug] x', 'lvl=dbg x', 'D1121 00:36:12.0 1 a.go:1] x'],
    none: [
      '',
      'no level here',
      'the error was found in the sentence',
      'An ERRORS table was made',
      '2026-11-21 INFO 0 ERROR lines were seen',
      'I1121 00:36:12.0 1 a.go:1] ERROR count 0',
      '<6>x',
      '2026-11-21 信息 没有错误',
      `${'x '.repeat(60)}ERROR`,
      '"GET /error HTTP/1.1" 404',
    ],
  };
  for (const [level, lines] of Object.entries(cases)) {
    for (const line of lines) assert.equal(levelOf(line) ?? 'none', level, line);
  }
});

test('columns as a terminal counts them', () => {
  assert.equal(columnsOf('abc'), 3);
  assert.equal(columnsOf('a\tb'), 9);
  assert.equal(columnsOf('\x1b[31mabc\x1b[0m'), 3);
  assert.equal(columnsOf('日志'), 4);
  assert.equal(columnsOf('e\u0301'), 1);
  assert.equal(columnsOf('\0'), 2, 'shown as ^@');
});

test('rows of a wrapped line', () => {
  assert.equal(rowsOf('', 10, 2), 1);
  assert.equal(rowsOf('0123456789', 10, 2), 1);
  assert.equal(rowsOf('01234567890', 10, 2), 2);
  assert.equal(rowsOf('aaaa bbbb cccc', 10, 2), 2, 'at words');
  assert.equal(rowsOf('aaaa bbbbbbbb cccc', 10, 2), 3);
  assert.equal(rowsOf('日'.repeat(6), 10, 2), 2);
  assert.equal(rowsOf('x'.repeat(10 + 8 * 3), 10, 2), 4);
  assert.equal(rowsOf('x'.repeat(100_000), 10, 2), 1 + Math.ceil((100_000 - 10) / 8));
});

test('the rate is that of the last seconds', () => {
  const meter = new Meter();
  meter.add(30, 0);
  assert.equal(meter.rate(0), 10);
  meter.add(30, 1_000);
  assert.equal(meter.rate(1_000), 20);
  assert.equal(meter.rate(3_500), 10);
  assert.equal(meter.rate(9_000), 0);
  for (let now = 10_000; now < 12_000; now += 1) meter.add(1, now);
  assert.ok(Math.abs(meter.rate(12_000) - 2_000 / 3) < 1);
  meter.reset();
  assert.equal(meter.rate(12_000), 0);
});

test('the address names the log, whatever its name', () => {
  for (const name of ['app.log', 'web/access.log', 'a b/c%20d.log', '日志/应用.log', 'x?y#z&w+.log']) {
    assert.equal(logIn({ hash: hashFor(name), search: '' }), name);
    assert.equal(logIn({ hash: '', search: `?log=${encodeURIComponent(name)}` }), name);
  }
  assert.equal(logIn({ hash: '', search: '' }), null);
  const query = new URLSearchParams([
    ['grep', 'a&b=c?'],
    ['at', '1.a.b.c~2.d.e.f'],
  ]);
  for (const name of ['app.log', 'x?y#z&w+.log']) {
    const hash = hashFor(name, query);
    assert.equal(logIn({ hash, search: '' }), name);
    assert.deepEqual([...queryIn({ hash })], [...query]);
  }
  assert.equal(queryIn({ hash: '#/app.log' }).size, 0);
  assert.equal(logIn({ hash: '#/', search: '' }), null);
  assert.equal(logIn({ hash: '#/100%', search: '' }), '100%', 'a bad escape is text');
});

test('the stream is beside the page, at whatever path and scheme that is', () => {
  const none = new URLSearchParams();
  assert.equal(streamUrl('http://h:8080/#/x', 'a b/c.log', none), 'ws://h:8080/tail/a%20b/c.log');
  assert.equal(streamUrl('https://h/logs/?log=x#/y?z', 'y', none), 'wss://h/logs/tail/y');
  const query = new URLSearchParams({ from: '1.a.0+2.b.5', grep: 'ü&' });
  assert.equal(
    streamUrl('http://h/logs/index.html', 'y', query),
    'ws://h/logs/tail/y?from=1.a.0%2B2.b.5&grep=%C3%BC%26',
  );
});

test('settings that are not understood are the default ones', () => {
  for (const stored of [
    null,
    '',
    'x',
    '[]',
    'null',
    '7',
    '{"wrap":1,"size":"x","theme":"pink","language":3,"who":7}',
  ]) {
    assert.deepEqual(readSettings(stored), DEFAULTS);
  }
  const mine = { wrap: true, size: 15, theme: 'light', language: 'zh', numbers: true, who: 'Ada', sidebar: false };
  assert.deepEqual(readSettings(JSON.stringify(mine)), mine);
});

test('text has a size within bounds', () => {
  assert.equal(sizeFrom(1), SIZES.least);
  assert.equal(sizeFrom(99), SIZES.most);
  assert.equal(sizeFrom(Number.NaN), SIZES.usual);
});
