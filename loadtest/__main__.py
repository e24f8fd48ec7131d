"""`python -m loadtest`: see --help, and README.md in this folder."""

import signal
import sys
from pathlib import Path

from loadtest.load.cli import main

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: what was started is stopped
    sys.path.insert(0, str(Path.cwd()))
    sys.exit(main())
