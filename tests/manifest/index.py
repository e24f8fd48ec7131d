"""A small index of packages in a folder: wheels and sources that uv reads instead of asking one on the network."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from deploy import packages, resolver

INDEX_VARIABLES = ("UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")

BACKEND = '''
import zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "{file}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(folder + "/" + name, "w") as wheel:
        wheel.writestr("{file}/__init__.py", "")
        {extra}
        wheel.writestr("{file}-{version}.dist-info/METADATA", """{metadata}""")
        wheel.writestr("{file}-{version}.dist-info/WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
        wheel.writestr("{file}-{version}.dist-info/RECORD", "")
    return name
'''

PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "{name}"
version = "{version}"
dependencies = {needs}
"""


class Index:
    """The folder and what is in it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder

    def add_wheel(self, name: str, version: str, *needs: str, tag: str = "py3-none-any") -> None:
        """Add a built package."""
        file = name.replace("-", "_")
        with zipfile.ZipFile(self.folder / f"{file}-{version}-{tag}.whl", "w") as wheel:
            wheel.writestr(f"{file}/__init__.py", "")
            wheel.writestr(f"{file}-{version}.dist-info/METADATA", metadata(name, version, needs))
            wheel.writestr(f"{file}-{version}.dist-info/WHEEL", f"Wheel-Version: 1.0\nTag: {tag}\n")
            wheel.writestr(f"{file}-{version}.dist-info/RECORD", "")

    def add_source(self, name: str, version: str, *needs: str, is_compiled: bool = False) -> None:
        """Add a package that has to be built; its build needs nothing but Python."""
        file = name.replace("-", "_")
        extra = f'wheel.writestr("{file}/fast.so", "")' if is_compiled else "pass"
        text = BACKEND.format(file=file, version=version, extra=extra, metadata=metadata(name, version, needs))
        project = PROJECT.format(name=name, version=version, needs=list(needs))
        entries = {"PKG-INFO": metadata(name, version, needs), "pyproject.toml": project, "backend.py": text}
        with tarfile.open(self.folder / f"{file}-{version}.tar.gz", "w:gz") as tar:
            for entry, content in entries.items():
                member = tarfile.TarInfo(f"{file}-{version}/{entry}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content.encode()))


def metadata(name: str, version: str, needs: tuple[str, ...]) -> str:
    """Return what a package says about itself."""
    lines = [
        "Metadata-Version: 2.2",
        f"Name: {name}",
        f"Version: {version}",
        *(f"Requires-Dist: {need}" for need in needs),
    ]
    return "\n".join(lines) + "\n"


def use_index(monkeypatch: pytest.MonkeyPatch, folder: Path, site: str, configuration: str) -> None:
    """Let uv ask this index alone.

    Args:
        monkeypatch: of the test.
        folder: an empty folder for uv's files.
        site: the requirements of the stack.
        configuration: lines of uv.toml that name the index.
    """
    (folder / "site.in").write_text(site)
    (folder / "uv.toml").write_text(f'{configuration}\ncache-dir = "{folder / "uv"}"\n')
    monkeypatch.setenv("UV_CONFIG_FILE", str(folder / "uv.toml"))
    for name in INDEX_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for module in (packages, resolver):
        monkeypatch.setattr(module, "SITE_REQUIREMENTS", folder / "site.in")
    resolver.check_alone.cache_clear()
