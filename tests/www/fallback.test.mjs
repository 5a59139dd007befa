import assert from 'node:assert/strict';
import test from 'node:test';
import { Fallback } from '../../www/fallback.js';
import { read } from '../../www/wire.js';

const settled = () => new Promise((done) => setTimeout(done, 0));

/** A server of plain HTTP: each request waits until the test answers it. */
class Scene {
  asked = [];
  heard = [];
  closed = null;
  time = 0;

  constructor(way, query = 'lines=5') {
    this.link = new Fallback(`ws://h:1/x/tail/app.log?${query}`, way, {
      now: () => this.time,
      fetch: (url, { headers, signal }) =>
        new Promise((answer, refuse) => {
          signal.addEventListener('abort', () => refuse(new DOMException('', 'AbortError')));
          this.asked.push({ url: new URL(url), accept: headers.Accept, signal, answer, refuse });
        }),
    });
    this.link.onmessage = ({ data }) => this.heard.push(read(data));
    this.link.onclose = ({ code, reason }) => {
      this.closed = [code, reason];
    };
  }

  get last() {
    return this.asked.at(-1);
  }

  /** The query of the last request, in order. */
  get query() {
    return this.last.url.search;
  }

  /** Answers the last request with an endless body; what is written to it comes in the pieces in which it is written. */
  stream(asked = this.last) {
    const { readable, writable } = new TransformStream();
    const writer = writable.getWriter();
    // Who asked may be gone.
    writer.closed.catch(() => {});
    asked.answer(new Response(readable, { headers: { 'Content-Type': asked.accept } }));
    const encoder = new TextEncoder();
    return {
      write: async (text) => {
        writer.write(encoder.encode(text)).catch(() => {});
        await settled();
      },
      end: async () => {
        writer.close().catch(() => {});
        await settled();
      },
    };
  }

  async answer(messages, fields) {
    const body = messages.map((message) => `${JSON.stringify(message)}\n`).join('');
    this.last.answer(new Response(body, { headers: { 'Content-Type': this.last.accept, ...fields } }));
    await settled();
    await settled();
  }

  async refuse(status, text, fields) {
    this.last.answer(new Response(text, { status, headers: fields }));
    await settled();
  }

  get kinds() {
    return this.heard.map(({ kind }) => kind);
  }

  get text() {
    return this.heard.map(({ text }) => text ?? '').join('');
  }
}

const line = (from, to, text) => ({ lines: { from, to, bytes: text.length, text } });
const event = (to, message) => `id: ${to}\ndata: ${JSON.stringify(message)}\n\n`;
const hello = (cursor, more) => ({
  hello: { name: 'app.log', cursor, size: 9, encoding: 'UTF-8', redacted: true, ...more },
});
/** What a stream of events begins with. */
const beginning = (cursor, more) => `id: ${cursor}\n\ndata: ${JSON.stringify(hello(cursor, more))}\n\n`;

test('events become the messages of the protocol, wherever they are cut', async () => {
  const all = `${beginning('a')}${event('b', line('a', 'b', 'one\n'))}id: c\n\n${event('d', { rotated: { cursor: 'd' } })}`;
  for (let cut = 0; cut < all.length; cut += 1) {
    const scene = new Scene('events');
    assert.deepEqual(
      [scene.last.url.href, scene.last.accept],
      ['http://h:1/x/tail/app.log?lines=5', 'text/event-stream'],
    );
    const stream = scene.stream();
    await stream.write(all.slice(0, cut));
    await stream.write(all.slice(cut));
    assert.deepEqual(scene.kinds, ['hello', 'lines', 'rotated'], `cut at ${cut}`);
    const { cursor, encoding, redacted, filter } = scene.heard[0];
    assert.deepEqual([cursor, encoding, redacted, filter, scene.text], ['a', 'UTF-8', true, false, 'one\n']);
    await stream.end();
    assert.deepEqual(scene.closed, [1006, '']);
  }
});

test('polls follow one another, each from where the last one ended', async () => {
  const scene = new Scene('polls');
  assert.deepEqual([scene.query, scene.last.accept], ['?lines=5', 'application/x-ndjson']);
  await scene.answer([hello('a'), line('a', 'b', 'one\n')], { 'Wiretail-Cursor': 'c', 'Wiretail-Behind': '70' });
  assert.deepEqual(scene.kinds, ['hello', 'lines', 'behind']);
  assert.deepEqual([scene.heard[0].cursor, scene.heard[2].bytes], ['a', 70]);
  assert.equal(scene.query, '?from=c&wait=15');
  await scene.answer([], { 'Wiretail-Cursor': 'c' });
  await scene.answer([line('c', 'd', 'two\n')], { 'Wiretail-Cursor': 'd' });
  assert.equal(scene.query, '?from=d&wait=15');
  assert.equal(scene.text, 'one\ntwo\n');
  scene.last.refuse(new TypeError('the network'));
  await settled();
  assert.deepEqual(scene.closed, [1006, '']);
});

test('a poll that goes on is greeted by another, and begins where it was told to', async () => {
  const scene = new Scene('polls', 'grep=o&from=b');
  assert.equal(scene.query, '?grep=o&lines=0');
  await scene.answer([hello('z', { filter: true })], { 'Wiretail-Cursor': 'z' });
  assert.equal(scene.query, '?grep=o&from=b');
  await scene.answer([line('b', 'c', 'two\n')], { 'Wiretail-Cursor': 'c' });
  assert.deepEqual([scene.kinds, scene.heard[0].cursor], [['hello', 'lines', 'behind'], 'b']);
  assert.equal(scene.query, '?grep=o&from=c&wait=15');
});

for (const way of ['events', 'polls']) {
  /** Has the first two lines heard. */
  const begun = async (query) => {
    const scene = new Scene(way, query);
    if (way === 'events') await scene.stream().write(`${beginning('a')}${event('b', line('a', 'b', 'one\n'))}`);
    else await scene.answer([hello('a'), line('a', 'b', 'one\n')], { 'Wiretail-Cursor': 'b' });
    return scene;
  };
  /** Answers the last request, which is the stream's, by what goes on at `cursor`. */
  const goOn = async (scene, cursor, more) => {
    if (way === 'events') return scene.stream().write(beginning(cursor, more));
    if (scene.query.includes('lines=0')) await scene.answer([hello('z', more)], { 'Wiretail-Cursor': 'z' });
    await scene.answer([], { 'Wiretail-Cursor': cursor });
  };

  test(`${way}: a pause asks only for how much is missed, and it goes on where it was`, async () => {
    const scene = await begun();
    const { signal } = scene.last;
    scene.link.send('{"pause":{}}');
    await settled();
    assert.ok(signal.aborted);
    assert.equal(scene.query, '?from=b&paused=1');
    if (way === 'events') {
      const stream = scene.stream();
      await stream.write(`${beginning('b')}data: {"behind":{"bytes":7}}\n\n`);
    } else {
      await scene.answer([], { 'Wiretail-Cursor': 'b', 'Wiretail-Behind': '7' });
      assert.equal(scene.query, '?from=b&paused=1&wait=5');
    }
    assert.deepEqual([scene.heard.at(-1).kind, scene.heard.at(-1).bytes], ['behind', 7]);
    assert.equal(scene.kinds.filter((kind) => kind === 'hello').length, 1, 'it is the same stream');
    scene.link.send('{"resume":{}}');
    assert.equal(scene.query, '?from=b');
    assert.equal(scene.closed, null);
  });

  test(`${way}: who pauses at hello hears nothing more until it goes on`, async () => {
    const scene = new Scene(way);
    scene.link.onmessage = ({ data }) => {
      scene.heard.push(read(data));
      if (scene.heard.length === 1) scene.link.send('{"pause":{}}');
    };
    if (way === 'events') await scene.stream().write(`${beginning('a')}${event('b', line('a', 'b', 'one\n'))}`);
    else await scene.answer([hello('a'), line('a', 'b', 'one\n')], { 'Wiretail-Cursor': 'b' });
    assert.deepEqual(scene.kinds, ['hello']);
    scene.link.send('{"resume":{}}');
    assert.equal(scene.query, '?from=a');
  });

  test(`${way}: a filter holds from where one stands; one that is refused changes nothing`, async () => {
    const scene = await begun();
    const patterns = { grep: ['x y'], not: ['z'], ignore_case: true, words: false, literal: true };
    const query = 'grep=x+y&not=z&ignore_case=1&literal=1';
    scene.link.send(JSON.stringify({ filter: patterns }));
    assert.equal(scene.query, way === 'events' ? `?${query}&from=b` : `?${query}&lines=0`);
    await goOn(scene, 'b', { filter: true });
    const filtered = scene.heard.find(({ kind }) => kind === 'filtered');
    assert.deepEqual(filtered, { kind: 'filtered', cursor: 'b', active: true });
    scene.link.send(JSON.stringify({ filter: { ...patterns, grep: ['(('] } }));
    await scene.refuse(400, 'the pattern "((" is bad\n', { 'Wiretail-Code': 'syntax' });
    const { kind, id, code, message } = scene.heard.at(-1);
    assert.deepEqual([kind, id, code, message], ['error', null, 'syntax', 'the pattern "((" is bad']);
    assert.equal(scene.query, `?${query}&from=b`);
    scene.link.send('{"filter":{}}');
    await goOn(scene, 'b', { filter: false });
    assert.deepEqual(scene.heard.findLast(({ kind }) => kind === 'filtered').active, false);
    assert.equal(scene.closed, null);
  });

  const older = '{"older":{"id":7,"before":"b","lines":5}}';
  const search = '{"search":{"id":8,"grep":["x"],"not":[],"literal":true,"from":"b","most":1}}';
  const form = way === 'events' ? (message) => `data: ${message}\n\n` : (message) => `${message}\n`;

  test(`${way}: questions have answers of their own, beside the stream and each other`, async () => {
    const scene = await begun('grep=o&lines=5');
    scene.link.send(older);
    assert.equal(scene.query, '?before=b&lines=5&id=7&grep=o', 'what is seen is what passes');
    const first = scene.stream();
    scene.link.send(search);
    assert.equal(scene.query, '?search=x&literal=1&from=b&most=1&id=8', 'all of the log is searched');
    const second = scene.stream();
    await second.write(form('{"hits":{"id":8,"hits":[]}}'));
    await first.write(form('{"older":{"id":7,"from":"a","to":"b","bytes":4,"text":"one\\n"}}'));
    await first.write(form('{"done":{"id":7,"more":true}}'));
    await first.end();
    await second.write(form('{"done":{"id":8}}'));
    await second.end();
    const answers = scene.heard.slice(-4).map(({ kind, id, text }) => [kind, id, text]);
    const expected = [
      ['hits', 8],
      ['older', 7, 'one\n'],
      ['done', 7],
      ['done', 8],
    ];
    assert.deepEqual(
      answers,
      expected.map(([kind, id, text]) => [kind, id, text]),
    );
    assert.deepEqual([scene.closed, scene.asked.length], [null, way === 'events' ? 3 : 4]);
  });

  test(`${way}: another question takes the place of one of its kind, and one can be given up`, async () => {
    const scene = await begun();
    const before = scene.asked.length;
    scene.link.send(older);
    scene.link.send(search);
    scene.link.send('{"seek":{"id":9,"to":{"line":12}}}');
    assert.equal(scene.query, '?seek=line%3A12&id=9');
    const aborted = () => scene.asked.slice(before).map(({ signal }) => signal.aborted);
    assert.deepEqual(aborted(), [true, false, false]);
    scene.link.send('{"cancel":{"id":8}}');
    assert.deepEqual(aborted(), [true, true, false]);
    scene.link.close();
    assert.deepEqual(aborted(), [true, true, true]);
    await settled();
    assert.equal(scene.closed, null);
  });

  test(`${way}: a question that is refused is answered by its number; one that is cut off ends the connection`, async () => {
    const scene = await begun();
    scene.link.send(older);
    await scene.refuse(400, 'No.\n', { 'Wiretail-Code': 'cursor' });
    scene.link.send(search);
    await scene.refuse(503, 'Later.\n', { 'Wiretail-Code': 'busy' });
    const errors = scene.heard.slice(-2).map(({ kind, id, code, message }) => [kind, id, code, message]);
    assert.deepEqual(errors, [
      ['error', 7, 'cursor', 'No.'],
      ['error', 8, 'busy', 'Later.'],
    ]);
    assert.equal(scene.closed, null);
    scene.link.send(older);
    const stream = scene.stream();
    await stream.write(form('{"progress":{"id":7}}'));
    await stream.end();
    await settled();
    assert.deepEqual([scene.closed, scene.link.readyState], [[1006, ''], 3]);
    const other = await begun();
    other.link.send(older);
    await other.refuse(502, '<html>');
    assert.deepEqual(other.closed, [1006, ''], 'what stands between may be mended');
  });

  test(`${way}: a ping is answered as long as the server was heard`, async () => {
    const scene = await begun();
    scene.time = 19_000;
    scene.link.send('{"ping":{}}');
    await settled();
    assert.equal(scene.heard.at(-1).kind, 'pong');
    const count = scene.heard.length;
    scene.time = 21_000;
    scene.link.send('{"ping":{}}');
    await settled();
    assert.equal(scene.heard.length, count);
  });

  test(`${way}: a refusal ends it in the server's words; what is closed says nothing`, async () => {
    const scene = new Scene(way);
    await scene.refuse(404, 'There is no log of this name.\n');
    assert.deepEqual(scene.closed, [1008, 'There is no log of this name.']);
    const busy = new Scene(way);
    await busy.refuse(503, 'Too many.');
    assert.deepEqual(busy.closed, [1006, 'Too many.']);
    const gone = await begun();
    const count = gone.heard.length;
    gone.link.close();
    await settled();
    assert.ok(gone.last.signal.aborted);
    assert.deepEqual([gone.closed, gone.heard.length], [null, count]);
  });
}
