"""The program as it is installed: the folders of the repository lie beside this file.

pyproject.toml installs it as parley_program/__init__.py. In a checkout the program is `python -m deploy.cli`.
"""

import sys
from pathlib import Path


def main() -> int:
    """Run the program. Returns the exit code."""
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    from deploy.cli.__main__ import main as run  # noqa: PLC0415  it is found by the line above

    return run()
