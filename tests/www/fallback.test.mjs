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
  stream() {
    const { readable, writable } = new TransformStream();
    const writer = writable.getWriter();
    // Who asked may be gone.
    writer.closed.catch(() => {});
    this.last.answer(new Response(readable));
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
    this.last.answer(new Response(body, { headers: fields }));
    await settled();
    await settled();
  }

  async refuse(status, text) {
    this.last.answer(new Response(text, { status }));
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

test('events become the messages of the protocol, wherever they are cut', async () => {
  const all = `id: a\n\n${event('b', line('a', 'b', 'one\n'))}id: c\n\n${event('d', { rotated: { cursor: 'd' } })}`;
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
    assert.deepEqual([scene.heard[0].cursor, scene.heard[0].filter, scene.text], ['a', false, 'one\n']);
    await stream.end();
    assert.deepEqual(scene.closed, [1006, '']);
  }
});

test('polls follow one another, each from where the last one ended', async () => {
  const scene = new Scene('polls');
  assert.deepEqual([scene.query, scene.last.accept], ['?lines=5', 'application/x-ndjson']);
  await scene.answer([line('a', 'b', 'one\n')], { 'Wiretail-Cursor': 'c', 'Wiretail-Behind': '70' });
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

test('an empty log begins where the poll says', async () => {
  const scene = new Scene('polls');
  await scene.answer([], { 'Wiretail-Cursor': 'z' });
  assert.equal(scene.heard[0].cursor, 'z');
});

for (const way of ['events', 'polls']) {
  /** Has the first two lines heard. */
  const begun = async (query) => {
    const scene = new Scene(way, query);
    if (way === 'events') await scene.stream().write(`id: a\n\n${event('b', line('a', 'b', 'one\n'))}`);
    else await scene.answer([line('a', 'b', 'one\n')], { 'Wiretail-Cursor': 'b' });
    return scene;
  };
  const more = way === 'polls' ? '&wait=15' : '';

  test(`${way}: a pause asks for nothing, and it goes on where it was`, async () => {
    const scene = await begun();
    const { signal } = scene.last;
    const requests = scene.asked.length;
    scene.link.send('{"pause":{}}');
    await settled();
    assert.ok(scene.last.signal.aborted || signal.aborted);
    assert.equal(scene.asked.length, requests);
    scene.link.send('{"resume":{}}');
    assert.equal(scene.query, `?from=b${more}`);
    assert.equal(scene.closed, null);
  });

  test(`${way}: who pauses at hello hears nothing more until it goes on`, async () => {
    const scene = new Scene(way);
    scene.link.onmessage = ({ data }) => {
      scene.heard.push(read(data));
      if (scene.heard.length === 1) scene.link.send('{"pause":{}}');
    };
    if (way === 'events') await scene.stream().write(`id: a\n\n${event('b', line('a', 'b', 'one\n'))}`);
    else await scene.answer([line('a', 'b', 'one\n')], { 'Wiretail-Cursor': 'b' });
    assert.deepEqual(scene.kinds, ['hello']);
    scene.link.send('{"resume":{}}');
    assert.equal(scene.query, `?from=a${more}`);
  });

  test(`${way}: a filter begins anew with the last lines that pass; one that is refused changes nothing`, async () => {
    const scene = await begun();
    const patterns = { grep: ['x y'], not: ['z'], ignore_case: true, words: false, literal: true };
    scene.link.send(JSON.stringify({ filter: patterns }));
    assert.equal(scene.query, '?grep=x+y&not=z&ignore_case=1&literal=1');
    if (way === 'events') await scene.stream().write('id: f\n\n');
    else await scene.answer([line('f', 'g', 'x y\n')], { 'Wiretail-Cursor': 'g' });
    const filtered = scene.heard.find(({ kind }) => kind === 'filtered');
    assert.deepEqual(filtered, { kind: 'filtered', cursor: 'f', active: true });
    scene.link.send(JSON.stringify({ filter: { ...patterns, grep: ['(('] } }));
    await scene.refuse(400, 'the pattern "((" is bad\n');
    const refused = scene.heard.at(-1);
    assert.deepEqual([refused.kind, refused.id, refused.message], ['error', null, 'the pattern "((" is bad']);
    assert.match(scene.query, /^\?grep=x\+y&not=z&ignore_case=1&literal=1&from=[fg]/);
    scene.link.send('{"filter":{}}');
    assert.equal(scene.query, '');
    assert.equal(scene.closed, null);
  });

  test(`${way}: what plain HTTP does not do is refused, by its number`, async () => {
    const scene = await begun();
    scene.link.send('{"search":{"id":7,"grep":["x"],"most":1}}');
    assert.notEqual(scene.heard.at(-1).kind, 'error', 'not before it was sent');
    await settled();
    const { kind, id, code } = scene.heard.at(-1);
    assert.deepEqual([kind, id, code], ['error', 7, 'websocket']);
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
