"""The texts of the pages' scripts and of refusals, in the reader's language."""

from typing import Any

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.utils.translation.trans_real import DjangoTranslation
from django.views.i18n import JSONCatalog

from chat.services.errors import ChatError

# The text of a refusal is in English, because programs read it too. Pages in other languages show these instead.
REFUSALS = {
    "bad_message": _("This message is empty or too long."),
    "bad_name": _(
        "A room name can contain letters, digits, hyphens and underscores, and starts with a letter or digit."
    ),
    "conflict": _("This was changed in the meantime."),
    "forbidden": _("You do not have permission to do this."),
    "invalid": _("This request is not valid."),
    "not_found": _("This does not exist, or you do not have access to it."),
    "rate_limited": _("Too many requests."),
    "unavailable": _("This is not possible at the moment."),
}


def describe_refusal(error: ChatError) -> str:
    """Return the text of a refusal in the language of the current page."""
    return error.text if _is_english() else str(REFUSALS.get(error.code, error.text))


def page_translations() -> dict[str, Any]:
    """Return what gettext.js needs: `catalog` by English text, `refusals` by error code; empty for an English page."""
    if _is_english():
        return {}
    catalog = JSONCatalog()
    catalog.translation = DjangoTranslation(get_language(), domain="djangojs", localedirs=settings.LOCALE_PATHS)
    return {"catalog": catalog.get_catalog(), "refusals": {code: str(text) for code, text in REFUSALS.items()}}


def _is_english() -> bool:
    return get_language() == settings.LANGUAGE_CODE
