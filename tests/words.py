"""`python tests/words.py [FILE...]`: look for the words of tests/words.toml in every text file of the repository.

Prints one line for each hit: file, line, the word, and what to say instead. The exit code is 1 when there is a hit, and
when an entry of the allow-list allows nothing. With FILEs, only these are searched, and unused entries do not matter.
"""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
LIST = Path(__file__).with_name("words.toml")

# The list itself, and a file that npm writes.
NOT_SEARCHED = {"tests/words.toml", "package-lock.json"}


@dataclass(frozen=True)
class Word:
    """A banned word: its pattern, and the term to use instead."""

    pattern: str
    say: str


@dataclass(frozen=True)
class Allowance:
    """An exception for the files that match `files`: for one word, named by its pattern, or for all of them ("")."""

    files: str
    reason: str
    word: str = ""


@dataclass(frozen=True)
class Hit:
    """A banned word at a line, counted from 1, of a file. Line 0 is the file's name."""

    file: str
    line: int
    found: str
    word: Word


class WordList:
    """The words and the exceptions of one list."""

    def __init__(self, words: list[Word], allowances: list[Allowance]) -> None:
        self.words, self.allowances = words, allowances
        self.used: set[Allowance] = set()
        # One pattern a word: a single pattern with all words in it takes three times as long.
        self._patterns = [(word, re.compile(word.pattern)) for word in words]

    @classmethod
    def load(cls, path: Path) -> "WordList":
        """Read a list.

        Raises:
            TypeError: An entry has a key that it must not have, or lacks one.
            ValueError: An exception names a word that is not in the list.
        """
        content = tomllib.loads(path.read_text())
        words = [Word(**entry) for entry in content["word"]]
        allowances = [Allowance(**entry) for entry in content["allow"]]
        if unknown := {each.word for each in allowances} - {word.pattern for word in words} - {""}:
            raise ValueError(f"{path.name}: no such word: {', '.join(sorted(unknown))}")
        return cls(words, allowances)

    def search(self, file: str, text: str) -> list[Hit]:
        """Return what is not allowed in a file, in its path (line 0) and in its text, by line."""
        hits = []
        for is_path, content in ((True, file.lower()), (False, text.lower())):
            for word, pattern in self._patterns:
                for match in pattern.finditer(content):
                    line = 0 if is_path else content.count("\n", 0, match.start()) + 1
                    if not self._is_allowed(file, word):
                        hits.append(Hit(file, line, match.group(), word))
        return sorted(hits, key=lambda hit: hit.line)

    def unused(self) -> list[Allowance]:
        """Return the exceptions that no search so far has needed."""
        return [each for each in self.allowances if each not in self.used]

    def _is_allowed(self, file: str, word: Word) -> bool:
        for each in self.allowances:
            if each.word in ("", word.pattern) and fnmatch(file, each.files):
                self.used.add(each)
                return True
        return False


def text_files() -> Iterator[tuple[str, str]]:
    """Yield path and content of each text file that git knows, or would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True).stdout
    for name in sorted(filter(None, listed.split("\0"))):
        path = REPO / name
        if name in NOT_SEARCHED or path.is_symlink() or not path.is_file():
            continue
        content = path.read_bytes()
        if b"\0" not in content:
            yield name, content.decode(errors="replace")


def main(names: list[str]) -> int:
    """Search, print the hits, and return the exit code."""
    words = WordList.load(LIST)
    hits = [hit for name, text in text_files() if not names or name in names for hit in words.search(name, text)]
    for hit in hits:
        print(f"{hit.file}:{hit.line}: {hit.found!r}: say {hit.word.say}")
    unused = [] if names else words.unused()
    for each in unused:
        print(f"tests/words.toml: nothing in {each.files} needs the exception {each.word!r}: remove it")
    return 1 if hits or unused else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
