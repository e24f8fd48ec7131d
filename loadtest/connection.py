"""The old place of loadtest.core.connection and loadtest.core.handshake; it works until the next release."""

import warnings

from loadtest.core.connection import Connection, OpenTimes  # noqa: F401
from loadtest.core.handshake import ConnectionClosed as Ended  # noqa: F401
from loadtest.core.handshake import HandshakeRefused as Refused  # noqa: F401

warnings.warn("loadtest.connection is now loadtest.core.connection", FutureWarning, stacklevel=2)
