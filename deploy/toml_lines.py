"""The lines of the values in a TOML file: tomllib reads the values, but does not say where they stand."""

import re

KeyPath = tuple[str | int, ...]
"""The way to a value: keys of tables, and positions in arrays, counted from 0."""

BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
BASIC_ESCAPE = re.compile(r'\\(["\\])')
QUOTES = ('"""', "'''", '"', "'")


def locate_values(text: str) -> dict[KeyPath, int]:
    """Return the line, counted from 1, of each key, table and array element of a file that tomllib accepts."""
    return _Scanner(text).scan()


class _Scanner:
    """One pass over the text. It follows strings, arrays and tables, and skips every other value."""

    def __init__(self, text: str) -> None:
        self._text = text.replace("\r\n", "\n")
        self._at = 0
        self._lines: dict[KeyPath, int] = {}
        self._array_lengths: dict[KeyPath, int] = {}

    def scan(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        while self._skip_blank(newlines=True):
            if self._text[self._at] == "[":
                table = self._read_header()
            else:
                self._read_pair(table)
        return self._lines

    def _read_header(self) -> KeyPath:
        line = self._line()
        is_array = self._text.startswith("[[", self._at)
        self._at += 2 if is_array else 1
        path: KeyPath = ()
        keys = self._read_key()
        for position, key in enumerate(keys):
            path = (*path, key)
            self._lines.setdefault(path, line)
            is_last = position == len(keys) - 1
            if is_last and is_array:
                self._array_lengths[path] = self._array_lengths.get(path, 0) + 1
            if path in self._array_lengths:  # [a.b] speaks of the newest table of [[a]]
                path = (*path, self._array_lengths[path] - 1)
                self._lines.setdefault(path, line)
        self._skip_blank()
        self._at += 2 if is_array else 1
        return path

    def _read_pair(self, table: KeyPath) -> None:
        line = self._line()
        path = table
        for key in self._read_key():
            path = (*path, key)
            self._lines.setdefault(path, line)
        self._skip_blank()
        self._at += 1  # the equals sign
        self._read_value(path)

    def _read_key(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._skip_blank()
            if self._text[self._at] in "\"'":
                keys.append(self._read_string())
            else:
                match = BARE_KEY.match(self._text, self._at)
                assert match, "tomllib accepts no other key"
                keys.append(match[0])
                self._at = match.end()
            self._skip_blank()
            if not self._text.startswith(".", self._at):
                return keys
            self._at += 1

    def _read_value(self, path: KeyPath) -> None:
        self._skip_blank()
        first = self._text[self._at]
        if first in "\"'":
            self._read_string()
        elif first == "[":
            self._read_array(path)
        elif first == "{":
            self._read_inline_table(path)
        else:  # a number, a boolean or a date
            while self._at < len(self._text) and self._text[self._at] not in ",]}#\n":
                self._at += 1

    def _read_array(self, path: KeyPath) -> None:
        self._at += 1
        position = 0
        while self._skip_blank(newlines=True) and self._text[self._at] != "]":
            if self._text[self._at] == ",":
                self._at += 1
                continue
            self._lines[(*path, position)] = self._line()
            self._read_value((*path, position))
            position += 1
        self._at += 1

    def _read_inline_table(self, path: KeyPath) -> None:
        self._at += 1
        while self._skip_blank(newlines=True) and self._text[self._at] != "}":
            if self._text[self._at] == ",":
                self._at += 1
                continue
            self._read_pair(path)
        self._at += 1

    def _read_string(self) -> str:
        """Skip a string and return its content. Only keys need the content; they have no escapes but quotes."""
        quote = next(quote for quote in QUOTES if self._text.startswith(quote, self._at))
        start = self._at + len(quote)
        end = start
        while not self._text.startswith(quote, end):
            end += 2 if quote[0] == '"' and self._text[end] == "\\" else 1
        while len(quote) == 3 and self._text.startswith(quote, end + 1):  # up to two quotes may end the content
            end += 1
        self._at = end + len(quote)
        return BASIC_ESCAPE.sub(r"\1", self._text[start:end]) if quote == '"' else self._text[start:end]

    def _skip_blank(self, *, newlines: bool = False) -> bool:
        """Skip spaces, and with `newlines` also comments and line ends. Return whether anything follows."""
        while self._at < len(self._text):
            if self._text[self._at] in " \t" or (newlines and self._text[self._at] == "\n"):
                self._at += 1
            elif newlines and self._text[self._at] == "#":
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            else:
                return True
        return False

    def _line(self) -> int:
        return self._text.count("\n", 0, self._at) + 1
