"""Secrets of a site: variables, or files of the folder that CREDENTIALS_DIRECTORY names (systemd.exec(5), containers).

A file has the name of the variable. systemd puts the site's name before it when it loads a whole folder:
LoadCredential=NAME:/etc/NAME/credentials makes NAME_SECRET_KEY.
"""

import os
import re
from collections.abc import MutableMapping
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

FOLDER_VARIABLE = "CREDENTIALS_DIRECTORY"
VARIABLE_NAME = re.compile(r"[A-Z][A-Z0-9_]*")


def export_credentials(site_name: str, environment: MutableMapping[str, str] = os.environ) -> list[str]:
    """Set a variable for each credential, because projects read their secrets from variables. A set variable wins.

    Args:
        site_name: The prefix that systemd puts before the names of files.
        environment: The variables; CREDENTIALS_DIRECTORY is read from them as well.

    Returns:
        The names of the variables that were set.

    Raises:
        ImproperlyConfigured: A credential cannot be read. The sentence names the file.
    """
    folder = environment.get(FOLDER_VARIABLE, "")
    if not folder:
        return []
    names = []
    try:
        files = sorted(Path(folder).iterdir())
    except OSError as error:
        raise ImproperlyConfigured(f"The credentials in {folder} cannot be read: {error.strerror}.") from error
    for file in files:
        name = file.name.removeprefix(f"{site_name}_")
        if not VARIABLE_NAME.fullmatch(name) or name in environment or not file.is_file():
            continue
        try:
            environment[name] = file.read_text().rstrip("\n")
        except (OSError, ValueError) as error:
            raise ImproperlyConfigured(f"The credential {file} cannot be read: {error}.") from error
        names.append(name)
    return names
