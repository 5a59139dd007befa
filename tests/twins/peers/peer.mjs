// npm's `ws` as a peer: plays what it is told, and tells what it heard. `peer.mjs client` or `peer.mjs server`, with the
// folder where `ws` is installed behind it.
//
// client: each line on standard input is a conversation to hold, in JSON; each is answered with a line.
// server: the one line on standard input is a list, with what to agree to, or null; the answer is a list of as many
//         ports. Every message is echoed, some in fragments with a ping between them. `close CODE REASON` makes it close.

import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const { WebSocket, WebSocketServer } = createRequire(`${process.argv[3]}/`)('ws');

/** The names of the parameters as `ws` has them. */
const NAMES = {
  server_no_context_takeover: 'serverNoContextTakeover',
  client_no_context_takeover: 'clientNoContextTakeover',
  server_max_window_bits: 'serverMaxWindowBits',
  client_max_window_bits: 'clientMaxWindowBits',
};

/** What `ws` is told to offer or to agree to. It compresses every message, however small. */
function deflate(parameters) {
  if (parameters === null) return false;
  const named = Object.entries(parameters).map(([name, value]) => [NAMES[name], value ?? false]);
  return { ...Object.fromEntries(named), threshold: 0 };
}

const bytes = (text) => Buffer.from(text, 'base64');

function play(ws, move) {
  if (move.parts) {
    const last = move.parts.length - 1;
    move.parts.forEach((part, at) => {
      if (part.data !== undefined) ws.send(bytes(part.data), { binary: !move.text, fin: at === last });
      else play(ws, part);
    });
  } else if (move.ping !== undefined) ws.ping(bytes(move.ping));
  else if (move.pong !== undefined) ws.pong(bytes(move.pong));
  else if (move.close) ws.close(...move.close);
}

async function converse(plan) {
  const ws = new WebSocket(plan.url, { perMessageDeflate: deflate(plan.deflate) });
  const heard = [];
  let agreed = null;
  ws.on('upgrade', (response) => {
    agreed = response.headers['sec-websocket-extensions'] ?? null;
  });
  ws.on('message', (data, binary) => heard.push({ text: !binary, data: data.toString('base64') }));
  const closed = once(ws, 'close');
  await once(ws, 'open');
  for (const move of plan.moves) {
    if (move.rest !== undefined) while (heard.length < move.rest) await once(ws, 'message');
    else play(ws, move);
  }
  const [code, reason] = await closed;
  return { agreed, heard, close: [code, reason.toString()] };
}

function echo(ws) {
  let count = 0;
  ws.on('message', (data, isBinary) => {
    count += 1;
    const close = isBinary ? null : /^close (\d+) (.*)$/s.exec(data.toString());
    if (close) ws.close(Number(close[1]), close[2]);
    else if (data.length % 3 === 0) ws.send(data, { binary: isBinary });
    else {
      const cut = Math.floor(data.length / 3);
      ws.send(data.subarray(0, cut), { binary: isBinary, fin: false });
      ws.ping(`between ${count}`);
      ws.send(data.subarray(cut), { binary: isBinary, fin: true });
    }
  });
}

async function serve(line) {
  const ports = [];
  for (const parameters of JSON.parse(line)) {
    const listening = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: deflate(parameters) });
    listening.on('connection', echo);
    await once(listening, 'listening');
    ports.push(listening.address().port);
  }
  return ports;
}

const work = { client: (line) => converse(JSON.parse(line)), server: serve }[process.argv[2]];
for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(await work(line)));
// Standard input is closed: nobody listens any more.
process.exit();
