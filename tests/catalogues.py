"""The translations in app/locale: complete, and compiled from what stands there. `--write` brings them up to date.

What is new in the code is then added without a translation; what is gone from it is taken out. The compiled .mo files
are part of the repository: who runs Parley needs no gettext.
"""

import gettext
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

APP = Path(__file__).resolve().parent.parent / "app"
LANGUAGES = ("es", "pt_BR")
DOMAINS = ("django", "djangojs")  # pages and mail; scripts
MADE_AT = re.compile(r'^"POT-Creation-Date: .*\n', re.MULTILINE)  # would change with every run


def collect(app: Path) -> None:
    """Bring the catalogues below `app` up to date, and leave the templates (.pot) beside them."""
    for domain in DOMAINS:
        flags = [f"--locale={name}" for name in LANGUAGES]
        flags += [f"--domain={domain}", "--no-location", "--no-wrap", "--no-obsolete", "--keep-pot"]
        run([sys.executable, "manage.py", "makemessages", "--verbosity=0", *flags], app)


def run(command: list[str], folder: Path) -> str:
    """What it says. Ends the program when it fails."""
    settings = {"SECRET_KEY": "x" * 50, "PARLEY_ENV_FILE": os.devnull, "PYTHONPATH": str(folder)}
    done = subprocess.run(command, cwd=folder, env=os.environ | settings, text=True, check=False, capture_output=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def compile_catalogue(source: Path, into: Path) -> None:
    run(["msgfmt", "--check", f"--output-file={into}", str(source)], source.parent)


def entries(compiled: Path) -> dict[object, str]:
    with compiled.open("rb") as file:
        return gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]


def complaints(app: Path, fresh: Path) -> list[str]:
    """What is wrong with the catalogues of `app`, as `fresh` (a copy, collected) shows."""
    found = []
    for language in LANGUAGES:
        for domain in DOMAINS:
            name = f"{language}/{domain}.po"
            source = app / "locale" / language / "LC_MESSAGES" / f"{domain}.po"
            compared = subprocess.run(
                ["msgcmp", source, fresh / "locale" / f"{domain}.pot"], text=True, check=False, capture_output=True
            )
            # Missing, untranslated and fuzzy entries; those that nothing uses are a warning.
            found += [f"{name}: {line}" for line in compared.stderr.splitlines()]
            again = fresh / f"{language}-{domain}.mo"
            compile_catalogue(source, again)
            compiled = source.with_suffix(".mo")
            if not compiled.exists() or entries(compiled) != entries(again):
                found.append(f"{name}: the .mo beside it is another one")
            for said, text in entries(again).items():
                english = said[0] if isinstance(said, tuple) else str(said)
                if english and holes(english) != holes(text):
                    found.append(f"{name}: other {{holes}} in the translation of {english!r}")
    return found


def holes(text: str) -> set[str]:
    """What the scripts fill in."""
    return set(re.findall(r"(?<!{)\{\w+\}(?!})", text))


def write(app: Path) -> None:
    collect(app)
    for template in app.glob("locale/*.pot"):
        template.unlink()
    for source in app.glob("locale/*/LC_MESSAGES/*.po"):
        source.write_text(MADE_AT.sub("", source.read_text()))
        compile_catalogue(source, source.with_suffix(".mo"))


def main() -> int:
    if "--write" in sys.argv:
        write(APP)
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch) / "app"
        shutil.copytree(APP, fresh, ignore=shutil.ignore_patterns("__pycache__"))
        collect(fresh)
        found = complaints(APP, fresh)
    if found:
        print(*found, "Type: make messages, then translate in app/locale.", sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
