import assert from 'node:assert/strict';
import test from 'node:test';
import { LONGEST, wait } from '../../www/backoff.js';
import { Socket } from '../../www/socket.js';

/** The world as a test has it: its clock, its network, and what was seen of the socket. */
class World {
  time = 0;
  timers = [];
  connections = [];
  events = [];
  cursor = 'c0';

  constructor() {
    this.socket = new Socket(
      {
        connecting: (way) => this.events.push(way === 'websocket' ? 'connecting' : `connecting by ${way}`),
        message: (data) => this.events.push(data),
        waiting: (loss) => this.events.push(`waiting ${loss.until - this.time} ${loss.code}`),
      },
      {
        connect: (url, way) => this.#connect(url, way),
        now: () => this.time,
        random: () => 0,
        after: (run, ms) => {
          this.timers.push({ at: this.time + ms, run });
          return this.timers.length - 1;
        },
        cancel: (timer) => {
          this.timers[timer] = null;
        },
      },
    );
  }

  #connect(url, way) {
    const connection = { url, way, readyState: 0, said: [], closed: false };
    connection.send = (text) => connection.said.push(text);
    connection.close = () => {
      connection.closed = true;
      connection.readyState = 3;
    };
    this.connections.push(connection);
    return connection;
  }

  want(held = false, key = '1') {
    this.socket.update({ key, url: () => `ws://x/?from=${this.cursor}`, held });
  }

  get last() {
    return this.connections.at(-1);
  }

  hear(data = '{"hello":{}}') {
    this.last.readyState = 1;
    this.last.onmessage({ data });
  }

  lose(code = 1006) {
    this.last.readyState = 3;
    this.last.onclose({ code, reason: '' });
  }

  pass(ms) {
    const until = this.time + ms;
    for (;;) {
      const due = this.timers.filter((timer) => timer !== null && timer.at <= until).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.timers[this.timers.indexOf(due)] = null;
      this.time = due.at;
      due.run();
    }
    this.time = until;
  }
}

test('it connects once, however often it is told to', () => {
  const world = new World();
  world.want();
  world.want();
  world.want();
  assert.equal(world.connections.length, 1);
  assert.equal(world.last.way, 'websocket');
  world.hear();
  assert.deepEqual(world.events, ['connecting', '{"hello":{}}']);
});

test('after a loss it waits, then goes on at the cursor of that moment', () => {
  const world = new World();
  world.want();
  world.hear();
  world.cursor = 'c7';
  world.lose();
  assert.equal(world.events.at(-1), 'waiting 200 1006');
  world.pass(199);
  assert.equal(world.connections.length, 1);
  world.pass(1);
  assert.equal(world.last.url, 'ws://x/?from=c7');
});

test('waits grow while nothing gets better, and begin anew after a good connection', () => {
  const world = new World();
  world.want();
  const waits = [];
  for (let i = 0; i < 12; i += 1) {
    world.lose();
    const ms = Number(world.events.at(-1).split(' ')[1]);
    waits.push(ms);
    world.pass(ms);
  }
  assert.ok(waits.every((ms, i) => i === 0 || ms >= waits[i - 1]));
  assert.equal(waits.at(-1), LONGEST / 2);
  world.hear();
  world.lose();
  assert.equal(world.events.at(-1), `waiting ${LONGEST / 2} 1006`, 'a hello alone is not a good connection');
  world.pass(LONGEST);
  world.hear();
  world.pass(6_000);
  world.lose();
  assert.equal(world.events.at(-1), 'waiting 200 1006');
});

test('a refusal is not asked about again at once', () => {
  const world = new World();
  world.want();
  world.hear();
  world.lose(1008);
  assert.equal(world.events.at(-1), `waiting ${LONGEST} 1008`);
});

test('pause and resume are said once each, after hello, and again on a new connection', () => {
  const world = new World();
  world.want(true);
  assert.deepEqual(world.last.said, []);
  world.hear();
  world.want(true);
  assert.deepEqual(world.last.said, ['{"pause":{}}']);
  world.want(false);
  world.want(false);
  assert.deepEqual(world.last.said, ['{"pause":{}}', '{"resume":{}}']);
  world.want(true);
  world.lose();
  world.pass(1_000);
  world.hear();
  assert.deepEqual(world.last.said, ['{"pause":{}}']);
});

test('hanging up is final, and what still comes is not listened to', () => {
  const world = new World();
  world.want();
  world.hear();
  const old = world.last;
  const before = world.events.length;
  world.socket.update(null);
  assert.ok(old.closed);
  old.onmessage({ data: 'late' });
  old.onclose({ code: 1006, reason: '' });
  world.pass(60_000);
  assert.equal(world.events.length, before);
  assert.equal(world.connections.length, 1);
});

test('another key is another stream', () => {
  const world = new World();
  world.want(false, '1');
  world.hear();
  const old = world.last;
  world.want(false, '2');
  assert.ok(old.closed);
  assert.equal(world.connections.length, 2);
});

test('a silent connection is asked, and kept if it answers', () => {
  const world = new World();
  world.want();
  world.hear();
  world.pass(23_000);
  assert.deepEqual(world.last.said, ['{"ping":{}}']);
  world.hear('{"pong":{}}');
  world.pass(15_000);
  assert.equal(world.connections.length, 1);
});

test('a connection that does not answer is dropped and made anew', () => {
  const world = new World();
  world.want();
  world.hear();
  const old = world.last;
  world.pass(40_000);
  assert.ok(old.closed);
  assert.ok(world.connections.length > 1);
});

test('a server that does not know ping is alive too; other errors are told', () => {
  const world = new World();
  world.want();
  world.hear();
  world.pass(23_000);
  world.hear('{"error":{"message":"unknown kind: ping"}}');
  assert.equal(world.events.at(-1), '{"hello":{}}');
  world.hear('{"error":{"message":"other"}}');
  assert.equal(world.events.at(-1), '{"error":{"message":"other"}}');
});

test('waking cuts a wait short, and asks a connection that was silent', () => {
  const world = new World();
  world.want();
  world.lose();
  world.socket.wake();
  assert.equal(world.connections.length, 2);
  world.hear();
  world.socket.wake();
  assert.deepEqual(world.last.said, [], 'it was heard just now');
  world.time += 10_000;
  world.socket.wake();
  assert.deepEqual(world.last.said, ['{"ping":{}}']);
  world.socket.update(null);
  world.socket.wake();
  assert.equal(world.connections.length, 2);
});

test('a handshake that never ends is given up', () => {
  const world = new World();
  world.want();
  world.pass(30_000);
  assert.ok(world.connections.length >= 2);
});

test('waits are spread, grow, and have a bound', () => {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const [least, most] = [wait(attempt, 0), wait(attempt, 0.999999)];
    assert.ok(least > 0 && least < most && most <= LONGEST);
    assert.ok(wait(attempt + 1, 0.5) >= wait(attempt, 0.5));
  }
});

test('what is asked is said on an open connection only', () => {
  const world = new World();
  const ask = { cancel: { id: 1 } };
  assert.ok(!world.socket.ask(ask));
  world.want();
  assert.ok(!world.socket.ask(ask), 'before the server has spoken');
  world.hear();
  assert.ok(world.socket.ask(ask));
  assert.deepEqual(world.last.said, ['{"cancel":{"id":1}}']);
  world.lose();
  assert.ok(!world.socket.ask(ask));
});

test('the refusal of a request is no answer to a ping', () => {
  const world = new World();
  world.want();
  world.hear();
  world.pass(25_000);
  assert.equal(world.last.said.at(-1), '{"ping":{}}');
  world.hear('{"error":{"id":3,"message":"no"}}');
  assert.equal(world.events.at(-1), '{"error":{"id":3,"message":"no"}}');
});

/** A server that answers plain HTTP, behind something that lets no WebSocket through. */
function blocked() {
  const world = new World();
  world.want();
  world.lose();
  world.socket.reached();
  world.pass(200);
  world.lose();
  world.pass(400);
  return world;
}

test('a WebSocket that fails twice although the server answers is blocked, and another way is taken', () => {
  const world = blocked();
  assert.equal(world.last.way, 'events');
  world.hear();
  world.want(true);
  assert.deepEqual(world.last.said, ['{"pause":{}}'], 'it is spoken to as a WebSocket is');
  world.lose();
  world.pass(15_000);
  assert.equal(world.last.way, 'events', 'what worked is taken again');
});

test('where the server is away, a WebSocket stays the way', () => {
  const world = new World();
  world.want();
  for (let i = 0; i < 9; i += 1) {
    world.lose();
    world.pass(15_000);
  }
  assert.ok(world.connections.every(({ way }) => way === 'websocket'));
});

test('events that are held back give way to polls, and polls that fail to the WebSocket', () => {
  const world = blocked();
  world.pass(24_000);
  assert.ok(world.connections.at(-2).closed);
  assert.equal(world.last.way, 'polls');
  world.lose();
  world.pass(15_000);
  assert.equal(world.last.way, 'websocket');
});

test('a handshake that is swallowed has failed', () => {
  const world = new World();
  world.want();
  world.pass(10_100);
  assert.ok(world.connections[0].closed);
  assert.match(world.events.at(-1), /^waiting/);
});

test('a WebSocket is tried now and then, more and more rarely, and when it gets through the stream goes on by it', () => {
  const world = blocked();
  world.hear();
  for (let i = 0; i < 200; i += 1) {
    world.pass(1000);
    // The server says something now and then.
    world.connections[2].onmessage({ data: '{"back":{}}' });
  }
  assert.equal(world.connections.length, 3 + 2, 'after 30 s and after 90 s');
  const trial = world.last;
  assert.equal(trial.way, 'websocket');
  world.cursor = 'c7';
  trial.onmessage({ data: '{"hello":{}}' });
  assert.ok(trial.closed && world.connections[2].closed, 'what it said is not taken: the stream was further');
  assert.deepEqual([world.last.way, world.last.url], ['websocket', 'ws://x/?from=c7']);
  world.hear();
  world.pass(15_000);
  assert.ok(!world.last.closed);
});

test('who asks for a trial is told when it fails', () => {
  const world = blocked();
  let told = 0;
  world.socket.tryWebSocket(() => assert.fail('there is no connection yet'));
  world.hear();
  world.socket.tryWebSocket(() => {
    told += 1;
  });
  assert.equal(world.last.way, 'websocket');
  world.lose();
  assert.equal(told, 1);
  assert.ok(!world.connections[2].closed, 'the stream goes on');
});
