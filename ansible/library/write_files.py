"""Ansible module that writes several text files at once; a loop over ansible.builtin.copy asks the host for each."""

from __future__ import annotations

import os
import tempfile
from typing import Any, TypedDict

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: write_files
short_description: Write several text files, owned by root
options:
  files:
    description: The files, each with path, content, and is_replaced; false keeps a file that is there.
    type: list
    elements: dict
    required: true
  mode:
    description: The mode of every file.
    type: str
    default: "0644"
"""


class TextFile(TypedDict):
    """A file as the module is given it."""

    path: str
    content: str
    is_replaced: bool


def write_file(module: AnsibleModule, file: TextFile, mode: str) -> dict[str, str] | None:
    """Bring one file up to date, unless this is a dry run.

    Returns:
        What changes in it, as Ansible prints it with --diff; None where nothing does.
    """
    path, content = file["path"], file["content"].encode()
    before = read(path)
    is_there = before is not None
    if is_there and (before == content or not file["is_replaced"]):
        return (
            {"before": f"{path}: another mode\n", "after": f"{path}: {mode}\n"}
            if set_mode(module, path, mode)
            else None
        )
    if not module.check_mode:
        handle, temporary = tempfile.mkstemp(dir=module.tmpdir)
        with os.fdopen(handle, "wb") as target:
            target.write(content)
        module.atomic_move(temporary, path)
        set_mode(module, path, mode)
    shown = (before or b"").decode(errors="replace")
    return {"before": shown, "after": file["content"], "before_header": path, "after_header": path}


def read(path: str) -> bytes | None:
    """Return the content of a file, or None where there is none."""
    try:
        with open(path, "rb") as source:
            return source.read()
    except FileNotFoundError:
        return None


def set_mode(module: AnsibleModule, path: str, mode: str) -> bool:
    """Set the mode, unless this is a dry run, and return whether it was another one."""
    return bool(module.set_mode_if_different(path, mode, False))


def main() -> None:
    """Write the files that the playbook names."""
    options: dict[str, Any] = {
        "files": {"type": "list", "elements": "dict", "required": True},
        "mode": {"type": "str", "default": "0644"},
    }
    module = AnsibleModule(argument_spec=options, supports_check_mode=True)
    changes = [write_file(module, file, module.params["mode"]) for file in module.params["files"]]
    found = [change for change in changes if change]
    module.exit_json(changed=bool(found), diff=found, written=[change.get("after_header", "") for change in found])


if __name__ == "__main__":
    main()
