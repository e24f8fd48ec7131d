"""The slugs of rooms: their names in addresses. No Django here, so that the settings can check one."""

import re
import unicodedata

from chat import limits

# Users choose the slugs of open rooms. Private and direct rooms have random ones that begin with ~, so that
# choosing a slug does not show whether a hidden room has it.
HIDDEN_SLUG = re.compile(r"~[A-Za-z0-9_-]{16}")
MAX_MARKS = 3  # combining marks in a row; words in Hindi, Thai and Vietnamese have fewer
INVISIBLE_MARKS = frozenset("\u034f\u17b4\u17b5\u180b\u180c\u180d\u180f") | {
    chr(code) for code in range(0xFE00, 0xFE10)
}


def is_open_slug(text: str) -> bool:
    """Whether an open room can have this slug: letters and digits with their marks, hyphens, underscores."""
    if not 0 < len(text) <= limits.SLUG_CHARS or not text[0].isalnum():
        return False
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.category(char) in ("Mn", "Mc") and char not in INVISIBLE_MARKS else 0
        if marks > MAX_MARKS or not (marks or char.isalnum() or char in "-_"):
            return False
    return True


def is_slug(text: str) -> bool:
    """Whether a room can have this slug. Check it before a query: PostgreSQL fails on NUL characters."""
    return is_open_slug(text) or HIDDEN_SLUG.fullmatch(text) is not None
