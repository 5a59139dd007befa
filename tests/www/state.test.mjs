import assert from 'node:assert/strict';
import test from 'node:test';
import { next, START, status, sticks, wish } from '../../www/state.js';
import { read } from '../../www/wire.js';

/** The state after a list of events; a string is a message from the server. */
function after(...events) {
  return events.reduce(
    (state, event) =>
      next(state, typeof event === 'string' ? { type: 'message', message: read(event), started: 1 } : event),
    START,
  );
}

const CHOOSE = { type: 'choose', log: 'app.log', past: false };
const HELLO = '{"hello":{"name":"app.log","cursor":"c0","size":100,"lines":1000,"server":"s"}}';
const LINES = '{"lines":{"from":"c0","to":"c1","bytes":10}}\nten bytes\n';
const LOST = { type: 'waiting', until: 5_000, code: 1006, reason: '' };
const KNOWN = {
  type: 'listing',
  catalogue: {
    logs: [{ name: 'app.log', group: '', size: 1, modified: 1, state: 'ok', why: '', viewers: 0 }],
    server: 's',
    demo: false,
  },
};

test('nothing is chosen at first', () => {
  assert.equal(status(START).kind, 'none');
  assert.deepEqual(wish(START), { connected: false, held: false });
});

test('choosing a log starts it', () => {
  const state = after(CHOOSE);
  assert.equal(status(state).kind, 'connecting');
  assert.deepEqual(wish(state), { connected: true, held: false });
  assert.equal(state.cursor, null, 'from its last lines');
});

test('hello makes it live, lines move the cursor', () => {
  const state = after(CHOOSE, HELLO, LINES);
  assert.equal(status(state).kind, 'live');
  assert.equal(state.cursor, 'c1');
  assert.equal(state.bytes, 10);
  assert.equal(state.asked, 1000);
});

test('where reading began, and how many lines were there already', () => {
  const hello = '{"hello":{"name":"app.log","cursor":"1.a.b.5a","size":100,"lines":1000,"server":"s"}}';
  const state = after(CHOOSE, hello, LINES, LINES);
  assert.equal(state.began, 0x5a);
  assert.equal(state.had, 1, 'ten bytes were there, the next ten came later');
  const again = '{"hello":{"name":"app.log","cursor":"1.a.b.64","size":900,"lines":5,"server":"s"}}';
  const resumed = after(CHOOSE, hello, LINES, LOST, again, LINES);
  assert.deepEqual([resumed.began, resumed.had, resumed.asked], [0x5a, 1, 1000], 'it began only once');
});

test('a hello on a connection that resumes does not move the cursor', () => {
  const state = after(
    CHOOSE,
    HELLO,
    LINES,
    LOST,
    '{"hello":{"name":"app.log","cursor":"c9","size":1,"lines":0,"server":"s"}}',
  );
  assert.equal(state.cursor, 'c1');
  assert.equal(state.asked, 1000);
  assert.equal(status(state).kind, 'live');
});

test('a gap, a rotation and a truncation move the cursor', () => {
  assert.equal(after(CHOOSE, HELLO, '{"gap":{"from":"c0","to":"g","bytes":1,"why":"rotated"}}').cursor, 'g');
  assert.equal(after(CHOOSE, HELLO, '{"rotated":{"cursor":"r"}}').cursor, 'r');
  assert.equal(after(CHOOSE, HELLO, '{"truncated":{"cursor":"t"}}').cursor, 't');
});

test('behind is catching up, until it is 0', () => {
  const state = after(CHOOSE, HELLO, '{"behind":{"bytes":500}}');
  assert.equal(status(state).kind, 'catching-up');
  assert.equal(status(after(CHOOSE, HELLO, '{"behind":{"bytes":500}}', '{"behind":{"bytes":0}}')).kind, 'live');
});

test('pausing holds the stream and the view', () => {
  const state = after(CHOOSE, HELLO, { type: 'pause', on: true }, '{"behind":{"bytes":500}}');
  assert.equal(status(state).kind, 'paused');
  assert.deepEqual(wish(state), { connected: true, held: true });
  assert.ok(!sticks(state));
  assert.ok(sticks(next(state, { type: 'pause', on: false })), 'following goes on afterwards');
  assert.equal(after({ type: 'pause', on: true }), START, 'nothing runs, nothing is paused');
});

test('disconnecting hangs up; connecting goes on at the cursor', () => {
  const closed = after(CHOOSE, HELLO, LINES, { type: 'disconnect' });
  assert.equal(status(closed).kind, 'disconnected');
  assert.equal(wish(closed).connected, false);
  const again = next(closed, { type: 'connect' });
  assert.equal(again.cursor, 'c1');
  assert.equal(again.session, closed.session, 'what is on the screen stays');
});

test('choosing again, the same log too, begins anew', () => {
  const state = after(CHOOSE, HELLO, LINES);
  const again = next(state, CHOOSE);
  assert.equal(again.cursor, null);
  assert.ok(again.session > state.session);
  assert.equal(status(next(state, { type: 'choose', log: null, past: false })).kind, 'none');
});

test('the end ends it; connecting to a log that ended reads it anew', () => {
  const ended = after(CHOOSE, HELLO, LINES, '{"end":{}}', LOST);
  assert.equal(status(ended).kind, 'ended');
  assert.equal(wish(ended).connected, false);
  const anew = next(ended, { type: 'connect' });
  assert.equal(anew.cursor, null);
  assert.ok(anew.session > ended.session);
});

test('a loss is waited out, and says until when', () => {
  const state = after(CHOOSE, HELLO, KNOWN, LOST);
  assert.deepEqual(status(state), { kind: 'waiting', why: '', cause: '', until: 5_000 });
  assert.equal(status(next(state, { type: 'unlisted', refused: false })).cause, 'unreachable');
  assert.equal(status(next(state, { type: 'connecting', way: 'websocket' })).kind, 'connecting');
});

test('a refusal says who refuses', () => {
  const nothing = { type: 'listing', catalogue: { logs: [], server: 's', demo: false } };
  assert.deepEqual(status(after(CHOOSE, nothing, LOST)), { kind: 'refused', why: '', cause: 'unlisted', until: 5_000 });
  assert.equal(status(after(CHOOSE, { type: 'unlisted', refused: true }, LOST)).cause, 'denied');
  const policy = status(after(CHOOSE, HELLO, KNOWN, { ...LOST, code: 1008, reason: 'too many' }));
  assert.deepEqual([policy.kind, policy.why], ['refused', 'too many']);
});

test('lines that come while the reader is elsewhere are counted', () => {
  const state = after(CHOOSE, HELLO, LINES, { type: 'follow', on: false }, LINES, LINES);
  assert.equal(state.below, 2);
  assert.equal(next(state, { type: 'follow', on: true }).below, 0);
  const hidden = after(CHOOSE, HELLO, { type: 'hidden', on: true }, LINES, LINES, LINES);
  assert.equal(hidden.away, 3);
  assert.equal(hidden.below, 0, 'it still follows');
  assert.equal(next(hidden, { type: 'hidden', on: false }).away, 0);
});

test('a full page asks the server to wait, but only while the reader is elsewhere', () => {
  const full = after(CHOOSE, HELLO, { type: 'room', room: 'full' });
  assert.deepEqual(wish(full), { connected: true, held: false }, 'following: old lines are let go instead');
  const reading = next(full, { type: 'follow', on: false });
  assert.deepEqual(wish(reading), { connected: true, held: true });
  assert.equal(status(reading).kind, 'full');
  const overfull = next(reading, { type: 'room', room: 'overfull' });
  assert.equal(wish(overfull).connected, false, 'the wish to wait came too late: hang up, go on at the cursor later');
  assert.equal(status(overfull).kind, 'full');
  assert.deepEqual(wish(next(overfull, { type: 'follow', on: true })), { connected: true, held: false });
});

test('missing and back', () => {
  const gone = after(CHOOSE, HELLO, '{"missing":{"why":"no such file"}}');
  assert.equal(gone.missing, 'no such file');
  assert.deepEqual([status(gone).kind, status(gone).why], ['gone', 'no such file'], 'connected, but not live');
  assert.equal(next(gone, { type: 'message', message: read('{"back":{}}'), started: 0 }).missing, null);
  assert.equal(
    next(gone, { type: 'message', message: read(HELLO), started: 0 }).missing,
    null,
    'old news after reconnecting',
  );
});

test('a job without a log has not run yet', () => {
  const job = { type: 'listing', catalogue: { logs: [{ ...KNOWN.catalogue.logs[0], kind: 'job' }], server: 's' } };
  const never = after(CHOOSE, HELLO, job, '{"missing":{"why":"It does not exist yet."}}');
  assert.deepEqual(status(never), { kind: 'never', why: '', cause: '', until: null });
  assert.equal(status(next(never, { type: 'message', message: read(LINES), started: 1 })).kind, 'live');
});

test('who reads the past hears the stream but does not follow it', () => {
  const past = after(
    CHOOSE,
    HELLO,
    LINES,
    { type: 'past' },
    LINES,
    '{"behind":{"bytes":5}}',
    '{"rotated":{"cursor":"r"}}',
  );
  assert.deepEqual(wish(past), { connected: true, held: true });
  assert.deepEqual([status(past).kind, past.cursor, past.bytes, past.behind], ['past', 'c1', 10, 0]);
  assert.ok(!sticks(past));
  assert.ok(!sticks(next(past, { type: 'follow', on: true })), 'the end of what is shown is not the end');
  assert.equal(after(CHOOSE, HELLO, { type: 'past' }, '{"missing":{"why":"gone"}}').missing, 'gone');
  assert.equal(status(next(past, LOST)).kind, 'waiting');
  const full = next(past, { type: 'room', room: 'overfull' });
  assert.equal(wish(full).connected, true, 'what is let go at either end makes room');
});

test('from the past one comes to the end by reading, or at once', () => {
  const past = after(CHOOSE, HELLO, LINES, { type: 'past' });
  const joined = next(past, { type: 'join', cursor: 'c7', follow: false });
  assert.deepEqual([joined.past, joined.cursor, joined.follow], [false, 'c7', false]);
  assert.equal(joined.reading, past.reading, 'what is shown stays');
  assert.ok(joined.session > past.session, 'by a new stream');
  const live = next(past, { type: 'live' });
  assert.deepEqual([live.past, live.cursor, live.follow, sticks(live)], [false, null, true, true]);
  assert.ok(live.reading > past.reading);
});

test('a link to a line begins in the past', () => {
  const state = after({ ...CHOOSE, past: true }, HELLO, LINES);
  assert.deepEqual([status(state).kind, state.bytes], ['past', 0]);
});

test('what the server can do, and which filter holds', () => {
  assert.equal(after(CHOOSE, HELLO).able, null, 'an older server');
  const hello = JSON.parse(HELLO);
  Object.assign(hello.hello, { encoding: 'GB18030', redacted: true });
  const able = after(CHOOSE, JSON.stringify(hello));
  assert.deepEqual(able.able, { encoding: 'GB18030', redacted: true });
  const filter = { grep: ['x'], not: [], ignore_case: true, words: false, literal: true };
  const filtered = next(able, { type: 'filtered', filter, cursor: 'c5' });
  assert.deepEqual([filtered.filter, filtered.cursor], [filter, 'c5']);
  assert.equal(next(filtered, { type: 'live' }).filter, filter, 'it goes along');
  assert.equal(next(filtered, CHOOSE).filter, null);
});

test('no event changes the state it is given', () => {
  const freeze = (state) => Object.freeze(state);
  const events = [
    CHOOSE,
    HELLO,
    LINES,
    { type: 'pause', on: true },
    { type: 'follow', on: false },
    LOST,
    KNOWN,
    { type: 'disconnect' },
  ];
  let state = START;
  for (const event of events) {
    state = freeze(
      next(state, typeof event === 'string' ? { type: 'message', message: read(event), started: 1 } : event),
    );
  }
  assert.equal(state.running, false);
});
