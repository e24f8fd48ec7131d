"""The rules for display names: no invisible characters, one line, a limited length."""

import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import NAME_CHARS

# Unicode categories: controls, formats, surrogates, private use, unassigned, line and paragraph separators. Among the
# formats are those that change the direction of the text after them.
INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# These two formats are part of words in Persian, Hindi and other languages, and of emoji.
JOINERS = frozenset("\u200c\u200d")
VISIBLE = ("L", "N", "P", "S")


def clean_name(text: str) -> str:
    """Return the name as it is stored: normalised (NFC), on one line, with single spaces. Idempotent.

    Raises:
        ValidationError: The name is invisible, or longer than NAME_CHARS characters.
    """
    name = unicodedata.normalize("NFC", text).strip()
    for char in name:
        if unicodedata.category(char) in INVISIBLE and char not in JOINERS:
            raise ValidationError(_("A name can contain only visible characters."), code="invisible")
    if not any(unicodedata.category(char).startswith(VISIBLE) for char in name):
        raise ValidationError(_("Enter a name that others can see."), code="blank")
    name = " ".join(name.split())
    if len(name) > NAME_CHARS:
        raise ValidationError(_("A name can have at most %(most)s characters.") % {"most": NAME_CHARS}, code="long")
    return name
