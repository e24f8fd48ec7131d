"""The old place of loadtest.load.users.chat_user; it works until the next release."""

import warnings

from loadtest.load.users.chat_user import *  # noqa: F403

warnings.warn("loadtest.chat_user is now loadtest.load.users.chat_user", FutureWarning, stacklevel=2)
