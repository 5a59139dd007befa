"""Python's `websockets` as a peer: plays what it is told, and tells what it heard. `peer.py client` or `peer.py server`.

client: each line on standard input is a conversation to hold, in JSON; each is answered with a line.
server: the one line on standard input is a list, with what to agree to, or null; the answer is a list of as many ports.
        Every message is echoed, some in fragments with a ping between them. `close CODE REASON` makes it close.
"""

import asyncio
import base64
import contextlib
import json
import sys

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory,
    ServerPerMessageDeflateFactory,
)

# Nothing is added to a conversation: no pings of its own, no offers, no limits that are not ours.
OPTIONS = {"compression": None, "ping_interval": None, "max_size": None, "max_queue": None}


async def pieces(ws, parts):
    """The fragments of a message; the control frames between them are sent when their turn comes."""
    for part in parts:
        if "data" in part:
            yield base64.b64decode(part["data"])
        else:
            await control(ws, part)


async def control(ws, move):
    if "ping" in move:
        await ws.ping(base64.b64decode(move["ping"]))
    else:
        await ws.pong(base64.b64decode(move["pong"]))


async def play(ws, move, heard):
    if "parts" in move:
        parts = move["parts"]
        whole = len(parts) == 1
        message = base64.b64decode(parts[0]["data"]) if whole else pieces(ws, parts)
        await ws.send(message, text=move["text"])
    elif "rest" in move:
        while len(heard) < move["rest"]:
            heard.append(await ws.recv())
    elif "close" in move:
        await ws.close(*move["close"])
    else:
        await control(ws, move)


def tell(message):
    text = isinstance(message, str)
    data = message.encode() if text else message
    return {"text": text, "data": base64.b64encode(data).decode()}


async def converse(plan):
    offer = plan["deflate"]
    extensions = None if offer is None else [ClientPerMessageDeflateFactory(**offer)]
    heard = []
    async with connect(plan["url"], extensions=extensions, proxy=None, **OPTIONS) as ws:
        for move in plan["moves"]:
            await play(ws, move, heard)
        await ws.wait_closed()
        agreed = ws.response.headers.get("Sec-WebSocket-Extensions")
        return {"agreed": agreed, "heard": [tell(message) for message in heard], "close": [ws.close_code, ws.close_reason]}


async def client():
    for line in sys.stdin:
        print(json.dumps(await converse(json.loads(line))), flush=True)


async def echo(ws):
    # However the conversation ends, the client tells.
    with contextlib.suppress(ConnectionClosed):
        await echo_all(ws)


async def echo_all(ws):
    count = 0
    async for message in ws:
        count += 1
        text = isinstance(message, str)
        data = message.encode() if text else message
        if text and message.startswith("close "):
            _, code, reason = message.split(" ", 2)
            await ws.close(int(code), reason)
        elif len(data) % 3 == 0:
            await ws.send(data, text=text)
        else:
            await ws.send(fragments(ws, data, f"between {count}"), text=text)


async def fragments(ws, data, between):
    yield data[: len(data) // 3]
    await ws.ping(between)
    yield data[len(data) // 3 :]


async def server():
    ports = []
    for agreed in json.loads(sys.stdin.readline()):
        extensions = None if agreed is None else [ServerPerMessageDeflateFactory(**agreed)]
        listening = await serve(echo, "127.0.0.1", 0, extensions=extensions, **OPTIONS)
        ports.append(listening.sockets[0].getsockname()[1])
    print(json.dumps(ports), flush=True)
    # Until standard input is closed.
    await asyncio.to_thread(sys.stdin.read)


asyncio.run({"client": client, "server": server}[sys.argv[1]]())
