"""What people may be called in a chat, where a name must not pretend, hide or break the line it stands in."""

import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import NAME_CHARS

# Controls, formats, halves of characters, private and unknown ones, line ends. The formats hold those that turn the
# text around them: a name could make the words after it read backwards.
INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Two formats spell real words in Persian, Hindi and more, and hold emoji together.
JOINERS = frozenset("\u200c\u200d")
VISIBLE = ("L", "N", "P", "S")


def clean_name(text: str) -> str:
    """The name as it is stored: normalised, on one line, single spaces. Raises ValidationError.

    Idempotent; at most NAME_CHARS characters.
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
