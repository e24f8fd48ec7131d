"""Only pages of this host and of the allowed origins may open a WebSocket."""

import pytest

from channels_realtime.origins import OriginValidator, refusal_reason

COOKIE = {"cookie": "sessionid=x"}


@pytest.fixture(autouse=True)
def site(settings):
    settings.ALLOWED_HOSTS = ["chat.example", ".chats.example", "[::1]"]
    settings.CHANNELS_REALTIME = {"ALLOWED_ORIGINS": ["https://partner.example", "tauri://localhost"]}


def refusal(forwarded_proto="https", scheme="ws", **headers):
    named = {name.encode(): value.encode("latin1") for name, value in headers.items()}
    if forwarded_proto:
        named[b"x-forwarded-proto"] = forwarded_proto.encode()
    return refusal_reason(named, scheme)


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("chat.example", "https://chat.example"),
        ("chat.example:8443", "https://chat.example:8443"),
        ("Chat.Example", "https://chat.example"),
        ("chat.example", "https://CHAT.example"),
        ("a.chats.example", "https://a.chats.example"),
        ("[::1]:8443", "https://[::1]:8443"),
        ("chat.example", "https://partner.example"),
        ("chat.example", "tauri://localhost"),
    ],
)
def test_pages_of_this_host_and_of_allowed_origins_are_accepted(host, origin):
    assert refusal(host=host, origin=origin, **COOKIE) is None
    assert refusal(host=host, origin=origin) is None


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://chat.example",
        "null",
        "https://chat.example:8443",
        "https://chat.example.evil.example",
        "https://evil.example/chat.example",
        "https://chat.example@evil.example",
        "https://evil.example#chat.example",
        "https://sub.chat.example",
        "http://partner.example",
        "https://partner.example:444",
        "file://chat.example",
        "chrome-extension://chat.example",
        "chat.example",
        "//chat.example",
        "https://[::1",
        "\xff\xfe",
    ],
)
def test_all_other_origins_are_refused_with_the_reason(origin):
    reason = refusal(host="chat.example", origin=origin, **COOKIE)
    assert repr(origin) in reason
    assert "'chat.example'" in reason


@pytest.mark.parametrize("host", ["evil.example", "", "chat.example.evil.example", "chat.example:x", "chat example"])
def test_handshakes_for_another_host_are_refused(host):
    assert "ALLOWED_HOSTS" in refusal(host=host, origin=f"https://{host}", **COOKIE)


@pytest.mark.parametrize(
    ("forwarded_proto", "scheme", "accepted"),
    [
        ("https", "ws", "https"),
        ("https, http", "ws", "https"),
        ("http", "ws", "http"),
        ("", "ws", "http"),
        ("", "wss", "https"),
    ],
)
def test_a_page_has_the_scheme_of_the_connection(forwarded_proto, scheme, accepted):
    for origin in ("http", "https"):
        reason = refusal(forwarded_proto, scheme, host="chat.example", origin=f"{origin}://chat.example")
        assert (reason is None) == (origin == accepted), origin


def test_a_project_whose_proxy_does_not_say_the_scheme_accepts_both(settings):
    settings.SECURE_PROXY_SSL_HEADER = None
    for origin in ("http", "https"):
        assert refusal("", host="chat.example", origin=f"{origin}://chat.example") is None


def test_a_request_without_an_origin_is_accepted_only_without_cookies():
    assert refusal(host="chat.example") is None
    assert "has cookies, but no Origin" in refusal(host="chat.example", **COOKIE)
    assert "has cookies, but no Origin" in refusal(host="chat.example", origin="", **COOKIE)


async def test_a_refused_handshake_does_not_reach_the_application_and_its_reason_is_logged(caplog):
    async def application(scope, receive, send):
        raise AssertionError("the application must not be called")

    sent = []

    async def send(message):
        sent.append(message["type"])

    async def receive():
        return {"type": "websocket.connect"}

    scope = {"headers": [(b"host", b"chat.example"), (b"origin", b"https://evil.example")]}
    await OriginValidator(application)(scope, receive, send)
    assert sent == ["websocket.close"]
    assert "Socket refused: Origin 'https://evil.example' is neither this host" in caplog.text


def test_a_project_in_development_needs_no_allowed_hosts(settings):
    settings.ALLOWED_HOSTS, settings.DEBUG = [], True
    assert refusal("", host="localhost:8000", origin="http://localhost:8000") is None
    assert refusal(host="site.example", origin="http://site.example") is not None
    settings.DEBUG = False
    assert refusal(host="localhost:8000", origin="http://localhost:8000") is not None
