"""Everything that replaces or reads private parts of daphne, autobahn, Twisted and channels_redis.

Written for daphne 4.2, autobahn 26.10, Twisted 26.10 and channels_redis 4.3. Each function says what it relies on, and
`tests/realtime/test_internals.py` has one test for each, so that an upgrade that moves it fails by its name. daphne,
autobahn and Twisted are imported where they are needed: a gunicorn process uses only the channel layer.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from channels_redis import pubsub, utils

# --- autobahn


def disable_debug_formatting() -> None:
    """Replace the functions by which autobahn formats debug messages that are never read.

    It pretty-prints its options at each connection and colours words at each read: a tenth of the cost of a handshake
    and of a frame. Relies on the module globals `pformat`, `hltype` and `hlval`.
    """
    from autobahn.twisted import websocket as autobahn_twisted  # noqa: PLC0415
    from autobahn.websocket import protocol as autobahn  # noqa: PLC0415

    def unformatted(value: Any) -> Any:
        return value

    vars(autobahn)["pformat"] = unformatted
    vars(autobahn_twisted)["hltype"] = vars(autobahn_twisted)["hlval"] = unformatted


def is_between_frames(protocol: Any) -> bool:
    """Return whether autobahn has read nothing of a frame or message that is still incomplete."""
    return protocol.current_frame is None and not protocol.inside_message and not protocol.data


def free_handshake(protocol: Any) -> None:
    """Free the text of the handshake and two parsed copies of it: 2 KB of every connection, kept for hours."""
    protocol.request.headers = protocol.http_headers = protocol.http_request_data = None


# --- Twisted


def socket_send(transport: Any) -> Callable[[bytes], int]:
    """Return the `send` method of the transport's non-blocking kernel socket."""
    send: Callable[[bytes], int] = transport.getHandle().send
    return send


def has_unsent_bytes(transport: Any) -> bool:
    """Return whether the transport buffers bytes that the kernel has not taken; Twisted has no public way to ask."""
    return bool(transport.dataBuffer or transport._tempDataBuffer)  # noqa: SLF001


def keep_systemd_sockets(*, backlog: int) -> None:
    """Make Twisted leave the listening sockets that systemd passed as they are.

    Twisted would open their files to everybody, let 50 clients wait, and at its end shut them down and delete their
    files, so that no client could reach the process that comes next. It would also close the descriptors that a
    successor inherits.

    Args:
        backlog: Handshakes that may wait on each socket.
    """
    from twisted.internet import endpoints, unix  # noqa: PLC0415

    twisted_port: Any = unix.Port
    from_descriptor = twisted_port._fromListeningDescriptor.__func__  # noqa: SLF001

    def adopted(cls: Any, *arguments: Any) -> Any:
        port = from_descriptor(cls, *arguments)
        port.backlog = backlog
        port._shouldShutdown = False  # noqa: SLF001  it would shut the queue down for each process that shares it
        port._bindPath = b"\0systemd"  # noqa: SLF001  an abstract name: there is no file to chmod or to delete
        return port

    twisted_port._fromListeningDescriptor = classmethod(adopted)  # noqa: SLF001
    adopting: Any = endpoints.AdoptedStreamServerEndpoint
    adopting._close = staticmethod(lambda _: None)  # noqa: SLF001


# --- daphne


def start_websocket_application(server: Any, protocol: Any, scope: dict[str, Any], queue: Any) -> None:
    """Do what `daphne.server.Server.create_application` does, with a receive queue of our own.

    Args:
        server: The daphne server.
        protocol: The connection, which the server knows already.
        scope: The ASGI scope of the connection.
        queue: Has `put_nowait` for daphne and `get` for the application.
    """
    application = server.application(scope, queue.get, partial(server.handle_reply, protocol))
    server.connections[protocol]["application_instance"] = asyncio.ensure_future(application)


@contextmanager
def limit_checks_to(server: Any, some: set[Any]) -> Iterator[None]:
    """Let daphne's periodic checks see only these connections.

    Every second or two daphne looks at each connection: whether its application has ended, whether its time is up. With
    thousands of connections that would cost as much as their messages. Relies on the two checkers iterating over
    `server.connections` and deleting from it.
    """
    all_connections = server.connections
    shown = some & all_connections.keys()
    server.connections = {protocol: all_connections[protocol] for protocol in shown}
    try:
        yield
    finally:
        for deleted in shown - server.connections.keys():
            del all_connections[deleted]
        server.connections = all_connections


# --- channels_redis

POLL_TIMEOUT_SECONDS = 5  # of one read from Redis


class WaitingRedisConnection(pubsub.RedisSingleShardConnection):
    """The pub/sub layer's connection to Redis, which waits for messages.

    channels_redis asks its connection ten times a second, so an idle process would wake up as often.
    """

    def _ensure_redis(self) -> None:
        if self._redis is None:
            super()._ensure_redis()
            get_message = self._pubsub.get_message

            async def wait_for_message(**options: Any) -> Any:
                return await get_message(**{**options, "timeout": POLL_TIMEOUT_SECONDS})

            self._pubsub.get_message = wait_for_message


vars(pubsub)["RedisSingleShardConnection"] = WaitingRedisConnection  # the layer takes no other class
ChannelLayer = pubsub.RedisPubSubChannelLayer


create_pool = utils.create_pool
decode_hosts = utils.decode_hosts
# Flushes the layer's part in `_layers` when its event loop is closed: async_to_sync makes a loop for each call.
flush_before_close: Callable[[Any, asyncio.AbstractEventLoop], None] = utils._wrap_close  # noqa: SLF001
