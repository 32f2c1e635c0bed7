"""Sends each line that it is given, by the connection that it has then."""

import asyncio
import json
import sys

import websockets


async def main(url: str, options: dict) -> None:
    lines: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    loop.run_in_executor(None, read, loop, lines)
    async for connection in websockets.connect(url, **options):
        sending = asyncio.create_task(send(connection, lines))
        await connection.wait_closed()
        sending.cancel()


async def send(connection, lines: "asyncio.Queue[str]") -> None:
    while True:
        await connection.send(await lines.get())


def read(loop: asyncio.AbstractEventLoop, lines: "asyncio.Queue[str]") -> None:
    for line in sys.stdin:
        loop.call_soon_threadsafe(lines.put_nowait, line.rstrip("\n"))


asyncio.run(main(sys.argv[1], json.loads(sys.argv[2])))
