"""Pages are in English, Brazilian Portuguese or Spanish: the browser's language or the chosen one. APIs use English."""

import json
import re
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from chat.models import Room
from chat.services.errors import ChatError

GREETING = {"en": "Every message arrives.", "pt-br": "Toda mensagem chega.", "es": "Todos los mensajes llegan."}


def reader(accepts: str) -> Client:
    cache.clear()
    return Client(HTTP_ACCEPT_LANGUAGE=accepts, HTTP_X_FORWARDED_FOR="192.0.2.7")


@pytest.mark.parametrize(
    ("accepts", "language"),
    [
        ("", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("pt-BR,pt;q=0.9,en;q=0.8", "pt-br"),
        ("pt-PT", "pt-br"),
        ("es-AR,es;q=0.9", "es"),
        ("fi, es;q=0.5", "es"),
        ("fi", "en"),
        (";;;q=\u00e9", "en"),
    ],
)
def test_a_page_is_in_the_language_of_the_browser(accepts: str, language: str) -> None:
    page = reader(accepts).get("/").content.decode()
    assert f'<html lang="{language}">' in page
    assert GREETING[language] in page


@pytest.mark.parametrize("language", GREETING)
def test_the_choice_in_the_footer_overrides_the_browser_and_lasts(language: str) -> None:
    client = reader("es" if language != "es" else "en")
    foot = client.get("/accounts/login/?next=/rooms/a/").content.decode().split("<footer>")[1]
    assert f'value="{language}"' in foot
    back = re.search(r'name="next" value="([^"]+)"', foot)
    assert back
    answer = client.post("/language/", {"language": language, "next": back[1]})
    assert answer.headers["Location"] == "/accounts/login/?next=/rooms/a/"
    assert GREETING[language] in client.get("/").content.decode()
    cookie = answer.cookies["django_language"]
    assert cookie["max-age"] == 31_536_000
    assert cookie["httponly"]
    assert cookie["secure"]
    assert cookie["samesite"] == "Lax"


@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_a_choice_never_redirects_to_another_site(url: str) -> None:
    answer = reader("en").post("/language/", {"language": "es", "next": url})
    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize("language", ["xx", "", "../../etc", "es\0", "e" * 5000])
def test_an_unknown_language_changes_nothing(language: str) -> None:
    client = reader("es")
    client.post("/language/", {"language": language})
    client.cookies["django_language"] = language.replace("\0", "")
    assert GREETING["es"] in client.get("/").content.decode()


def test_refusals_on_a_page_are_in_its_language(alice: User) -> None:
    client = reader("es")
    page = client.post("/guest/", {"name": "\u200b"}).content.decode()
    assert "caracteres visibles" in page
    client.force_login(alice)
    assert "El nombre de una sala puede tener letras" in client.post("/rooms/", {"name": "???"}).content.decode()
    assert "Página no encontrada" in client.get("/rooms/~AAAAAAAAAAAAAAAA/").content.decode()


def test_a_mail_is_in_the_language_of_the_page(alice: User) -> None:
    reader("pt-BR").post("/accounts/password/reset/", {"email": alice.email})
    (message,) = mail.outbox
    assert "Redefinir sua senha" in message.subject
    assert "solicitação para redefinir a senha da sua conta alice" in message.body


def scripts(page: str, name: str) -> Any:
    found = re.search(rf'<script id="{name}" type="application/json">(.*?)</script>', page)
    assert found
    return json.loads(found[1])


def test_scripts_get_translations_in_the_language_of_the_page(alice: User, room: Room) -> None:
    client = reader("pt-BR")
    client.force_login(alice)
    translations = scripts(client.get("/rooms/harbour/").content.decode(), "translations")
    assert translations["catalog"]["{count} new message"] == ["{count} mensagem nova", "{count} mensagens novas"]
    assert translations["refusals"]["conflict"] == "Isto foi alterado nesse meio-tempo."
    client.post("/language/", {"language": "en"})
    assert scripts(client.get("/rooms/harbour/").content.decode(), "translations") == {}


def test_every_refusal_has_a_translated_text() -> None:
    from chat.http.translations import REFUSALS

    def below(kind: type[ChatError]) -> set[str]:
        return {kind.code}.union(*map(below, kind.__subclasses__()))

    assert below(ChatError) <= set(REFUSALS)


@pytest.mark.parametrize("accepts", ["es", "pt-BR", "en"])
def test_apis_answer_in_english(accepts: str, alice: User) -> None:
    client = reader(accepts)
    client.cookies["django_language"] = "es"
    assert client.get("/api/rooms/").json()["error"]["text"] == "Authentication credentials were not provided."
    client.force_login(alice)
    answer = client.post("/api/rooms/", {}, content_type="application/json")
    assert answer.json()["error"]["text"].endswith("This field is required.")
    login = {"username": "nobody", "password": "x"}
    refused = client.post("/_allauth/app/v1/auth/login", login, content_type="application/json")
    assert "not correct" in refused.json()["errors"][0]["message"]
