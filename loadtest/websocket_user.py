"""The old place of loadtest.load.users.websocket_user; it works until the next release."""

import warnings

from loadtest.load.users.websocket_user import *  # noqa: F403

warnings.warn("loadtest.websocket_user is now loadtest.load.users.websocket_user", FutureWarning, stacklevel=2)
