"""An echo that says so, on Python's websockets, which knows nothing of wirebeat.

Argument: options of `serve`, as JSON. Prints a JSON line of each thing that happens.
"""

import asyncio
import json
import logging
import sys
import time

import websockets


def tell(name, **details):
    print(json.dumps({"name": name, "at": time.time() * 1000, **details}), flush=True)


class KeepaliveTeller(logging.Handler):
    """The library tells nobody else of its own keepalive."""

    def emit(self, record):
        message = record.getMessage()
        if "received keepalive pong" in message:
            tell("pong")
        elif "timed out waiting for keepalive pong" in message:
            tell("timeout")


async def echo(socket, *path):  # old versions give the path too
    tell("open")
    try:
        async for message in socket:
            await socket.send(f"echo {message}")
    except websockets.ConnectionClosed:
        pass
    tell("close")


async def main(options):
    logger = logging.getLogger("websockets.server")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(KeepaliveTeller())
    server = await websockets.serve(echo, "127.0.0.1", 0, **options)
    tell("listening", port=server.sockets[0].getsockname()[1])
    await asyncio.Future()


asyncio.run(main(json.loads(sys.argv[1])))
