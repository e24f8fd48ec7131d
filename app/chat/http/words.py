"""What the pages' scripts and refusals say in the reader's language."""

from typing import Any

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.utils.translation.trans_real import DjangoTranslation
from django.views.i18n import JSONCatalog

from chat.services.errors import ChatError

# A refusal's own sentence is English, for programs; to people who read another language, its code says this.
REFUSALS = {
    "bad_message": _("That message is empty, or too long."),
    "bad_name": _("A room's name has letters, digits, hyphens and underscores, and begins with a letter or digit."),
    "conflict": _("It has changed in the meantime."),
    "forbidden": _("That is not allowed to you."),
    "invalid": _("That did not make sense."),
    "not_found": _("There is no such thing, or it is not for you."),
    "rate_limited": _("Too much at once."),
    "unavailable": _("That is not possible at the moment."),
}


def refusal(error: ChatError) -> str:
    """The sentence of a refusal for a page."""
    return error.text if _english() else str(REFUSALS.get(error.code, error.text))


def page_words() -> dict[str, Any]:
    """For gettext.js: what it translates, and the sentences of refusals by code. Empty in English."""
    if _english():
        return {}
    catalog = JSONCatalog()
    catalog.translation = DjangoTranslation(get_language(), domain="djangojs", localedirs=settings.LOCALE_PATHS)
    return {"catalog": catalog.get_catalog(), "refusals": {code: str(said) for code, said in REFUSALS.items()}}


def _english() -> bool:
    return get_language() == settings.LANGUAGE_CODE
