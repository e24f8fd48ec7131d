"""The old place of loadtest.core.oracle; it works until the next release."""

import warnings

from loadtest.core.oracle import Event  # noqa: F401

warnings.warn("loadtest.oracle is now loadtest.core.oracle", FutureWarning, stacklevel=2)
