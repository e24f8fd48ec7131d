"""The smallest chat on the `websockets` library: it sends each message to all connections.

python -m loadtest.bench.contenders.broadcast_server PORT
"""

import asyncio
import sys

from websockets.asyncio.server import ServerConnection, broadcast, serve

connections: set[ServerConnection] = set()


async def handle_connection(connection: ServerConnection) -> None:
    """Broadcast what a connection sends, until it is closed."""
    connections.add(connection)
    try:
        async for message in connection:
            broadcast(connections, message)
    finally:
        connections.remove(connection)


async def main(port: int) -> None:
    """Serve on this port of the loopback interface."""
    async with serve(handle_connection, "127.0.0.1", port, compression=None, backlog=4096) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
