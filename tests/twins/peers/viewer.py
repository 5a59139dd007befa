"""A viewer as anybody writes one, on `websockets`, without a sub-protocol: `viewer.py URL LOG`, where LOG says "one"."""

import asyncio
import sys

from websockets.asyncio.client import connect


def append(log, text):
    with open(log, "a", encoding="utf-8") as file:
        file.write(text)


async def ask(ws, word):
    await ws.send(word)
    return await ws.recv()


async def view(url, log):
    async with connect(f"{url}?tail=1") as ws:
        assert await ws.recv() == "one\n"
        assert await ask(ws, "ping") == "pong"
        await ws.send("stop")
        assert await ask(ws, "ping") == "pong"
        append(log, "two\n")
        await asyncio.sleep(0.5)
        assert await ask(ws, "ping") == "pong", "what is written while it has stopped waits"
        assert await ask(ws, "start") == "two\n"
        append(log, "three\n")
        assert await ws.recv() == "three\n"
    async with connect(f"{url}?tail=0") as ws:
        text = "".join([message async for message in ws])
    assert ws.close_code == 1000
    print(text, end="")


asyncio.run(asyncio.wait_for(view(*sys.argv[1:]), 30))
