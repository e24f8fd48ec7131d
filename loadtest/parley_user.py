"""The old place of loadtest.load.users.parley_user; it works until the next release."""

import warnings

from loadtest.load.users.parley_user import *  # noqa: F403

warnings.warn("loadtest.parley_user is now loadtest.load.users.parley_user", FutureWarning, stacklevel=2)
