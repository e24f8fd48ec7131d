"""Sign-in with accounts of other sites: which of Google, GitHub and an OpenID Connect server this site offers."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from config.variables import HTTPS_URL, TEXT, read


def read_providers() -> dict[str, Any]:
    """Return SOCIALACCOUNT_PROVIDERS for what the environment configures; a provider without values is left out.

    Raises:
        ImproperlyConfigured: A provider has some of its values, but not all.
    """
    providers: dict[str, Any] = {}
    google = _all_or_none(
        GOOGLE_CLIENT_ID=read("GOOGLE_CLIENT_ID", TEXT, default=""),
        GOOGLE_CLIENT_SECRET=read("GOOGLE_CLIENT_SECRET", TEXT, default="", is_secret=True),
    )
    if google:
        providers["google"] = {"APPS": [_app(*google)], "SCOPE": ["profile"], "OAUTH_PKCE_ENABLED": True}
    github = _all_or_none(
        GITHUB_CLIENT_ID=read("GITHUB_CLIENT_ID", TEXT, default=""),
        GITHUB_CLIENT_SECRET=read("GITHUB_CLIENT_SECRET", TEXT, default="", is_secret=True),
    )
    if github:
        providers["github"] = {"APPS": [_app(*github)]}
    button = read("OIDC_NAME", TEXT, default="OpenID")
    oidc = _all_or_none(
        OIDC_CLIENT_ID=read("OIDC_CLIENT_ID", TEXT, default=""),
        OIDC_CLIENT_SECRET=read("OIDC_CLIENT_SECRET", TEXT, default="", is_secret=True),
        OIDC_SERVER_URL=read("OIDC_SERVER_URL", HTTPS_URL, default=""),
    )
    if oidc:
        client, secret, server_url = oidc
        # No e-mail address is requested: an account that signs in this way has no password to reset.
        settings = {"server_url": server_url, "scope": ["openid", "profile"]}
        app = _app(client, secret) | {"provider_id": "server", "name": button, "settings": settings}
        providers["openid_connect"] = {"APPS": [app], "OAUTH_PKCE_ENABLED": True}
    return providers


def _app(client: str, secret: str) -> dict[str, Any]:
    return {"client_id": client, "secret": secret}


def _all_or_none(**values: str) -> list[str]:
    """Return the values of these variables, or nothing when none of them is set."""
    missing = [name for name, value in values.items() if not value]
    if len(missing) == len(values):
        return []
    if missing:
        raise ImproperlyConfigured(f"{', '.join(values)} go together; not set: {', '.join(missing)}.")
    return list(values.values())
