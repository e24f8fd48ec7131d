"""Check the translations in app/locale, or bring them up to date with `--write`.

The check fails when a text has no translation, when a compiled file (.mo) differs from its source (.po), and when a
translation has other {placeholders} than its text. `--write` adds new texts without a translation, removes texts that
are not used any more, and compiles. The .mo files are part of the repository, so that a site needs no gettext.
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
DOMAINS = ("django", "djangojs")  # texts of Python and templates; texts of scripts
CREATION_DATE = re.compile(r'^"POT-Creation-Date: .*\n', re.MULTILINE)  # would change with every run


def collect_texts(app: Path) -> None:
    """Bring the .po files below `app` up to date, and keep the template (.pot) of each domain in app/locale."""
    for domain in DOMAINS:
        flags = [f"--locale={name}" for name in LANGUAGES]
        flags += [f"--domain={domain}", "--no-location", "--no-wrap", "--no-obsolete", "--keep-pot"]
        run([sys.executable, "manage.py", "makemessages", "--verbosity=0", *flags], app)


def run(command: list[str], folder: Path) -> str:
    """Run a command in a folder and return its output. Ends the program with the output when the command fails."""
    settings = {"SECRET_KEY": "x" * 50, "STACK_ENV_FILE": os.devnull, "PYTHONPATH": str(folder)}
    done = subprocess.run(command, cwd=folder, env=os.environ | settings, text=True, check=False, capture_output=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def compile_catalogue(source: Path, target: Path) -> None:
    """Compile a .po file to a .mo file. Ends the program when the source is not valid."""
    run(["msgfmt", "--check", f"--output-file={target}", str(source)], source.parent)


def read_catalogue(compiled: Path) -> dict[object, str]:
    """Return the translations in a .mo file by their text; the key of a plural form is a pair of text and number."""
    with compiled.open("rb") as file:
        return gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]


def find_problems(app: Path, fresh: Path) -> list[str]:
    """Return a line for each problem in the catalogues of `app`; `fresh` is a copy of it after collect_texts."""
    problems = []
    for language in LANGUAGES:
        for domain in DOMAINS:
            name = f"{language}/{domain}.po"
            source = app / "locale" / language / "LC_MESSAGES" / f"{domain}.po"
            compared = subprocess.run(
                ["msgcmp", source, fresh / "locale" / f"{domain}.pot"], text=True, check=False, capture_output=True
            )
            # Missing, untranslated and fuzzy texts are errors, texts that nothing uses are warnings.
            problems += [f"{name}: {line}" for line in compared.stderr.splitlines()]
            recompiled = fresh / f"{language}-{domain}.mo"
            compile_catalogue(source, recompiled)
            translations = read_catalogue(recompiled)
            compiled = source.with_suffix(".mo")
            if not compiled.exists() or read_catalogue(compiled) != translations:
                problems.append(f"{name}: the .mo file was compiled from another version")
            for key, translation in translations.items():
                text = key[0] if isinstance(key, tuple) else str(key)
                if text and find_placeholders(text) != find_placeholders(translation):
                    problems.append(f"{name}: the translation of {text!r} has other {{placeholders}}")
    return problems


def find_placeholders(text: str) -> set[str]:
    """Return the {placeholders} that the scripts fill in."""
    return set(re.findall(r"(?<!{)\{\w+\}(?!})", text))


def write(app: Path) -> None:
    """Bring the .po and .mo files below `app` up to date."""
    collect_texts(app)
    for template in app.glob("locale/*.pot"):
        template.unlink()
    for source in app.glob("locale/*/LC_MESSAGES/*.po"):
        source.write_text(CREATION_DATE.sub("", source.read_text()))
        compile_catalogue(source, source.with_suffix(".mo"))


def main() -> int:
    """Write if asked to, then check. Returns 1 when there are problems."""
    if "--write" in sys.argv:
        write(APP)
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch) / "app"
        shutil.copytree(APP, fresh, ignore=shutil.ignore_patterns("__pycache__"))
        collect_texts(fresh)
        problems = find_problems(APP, fresh)
    if problems:
        print(*problems, "Type: make messages, then translate in app/locale.", sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
