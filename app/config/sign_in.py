"""Signing in with an account elsewhere: which of Google, GitHub and an OpenID Connect server this site offers."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured


def providers(values: dict[str, str]) -> dict[str, Any]:
    """SOCIALACCOUNT_PROVIDERS from variables. Raises ImproperlyConfigured where one is half configured."""
    found: dict[str, Any] = {}
    google = _all_or_none(values, "GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET")
    if google:
        found["google"] = {"APPS": [_app(*google)], "SCOPE": ["profile"], "OAUTH_PKCE_ENABLED": True}
    github = _all_or_none(values, "GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET")
    if github:
        found["github"] = {"APPS": [_app(*github)]}
    oidc = _all_or_none(values, "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_SERVER_URL")
    if oidc:
        # No e-mail address is asked for: who comes this way has no password that could be forgotten.
        settings = {"server_url": oidc[2], "scope": ["openid", "profile"]}
        app = _app(*oidc[:2]) | {"provider_id": "server", "name": values["OIDC_NAME"], "settings": settings}
        found["openid_connect"] = {"APPS": [app], "OAUTH_PKCE_ENABLED": True}
    return found


def _app(client: str, secret: str) -> dict[str, Any]:
    return {"client_id": client, "secret": secret}


def _all_or_none(values: dict[str, str], *names: str) -> list[str]:
    missing = [name for name in names if not values[name]]
    if len(missing) == len(names):
        return []
    if missing:
        raise ImproperlyConfigured(f"{', '.join(names)} go together; not set: {', '.join(missing)}.")
    return [values[name] for name in names]
