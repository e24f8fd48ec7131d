"""The keys of access and refresh tokens, which change with SECRET_KEY.

allauth signs a token with HEADLESS_JWT_PRIVATE_KEY, and encrypts the session's key in it with SECRET_KEY. It knows no
former keys, so that a rotation of SECRET_KEY would end all tokens.
"""

import base64
import hashlib
import hmac
from typing import Any

import jwt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from django.conf import settings

ALGORITHM = "HS256"
NONCE_BYTES = 16  # before the encrypted key of the session


def derive_token_key(secret_key: str) -> str:
    """Return the key that signs tokens while SECRET_KEY has this value."""
    return hmac.digest(secret_key.encode(), b"accounts.tokens", "sha256").hex()


def accept_former_keys() -> None:
    """Let allauth read tokens that were made with a key of SECRET_KEY_FALLBACKS.

    Written for allauth 65. It relies on `internal.decode_token(token, use)`, through which every token is read.
    """
    from allauth.headless.tokens.strategies.jwt import internal  # noqa: PLC0415  the settings import this module

    original = getattr(internal.decode_token, "original", internal.decode_token)

    def decode_token(token: str, use: str) -> dict[str, Any] | None:
        """Return the claims of a genuine token that is not expired and is for this use; otherwise None."""
        claims: dict[str, Any] | None = original(token, use)
        if claims is None and (renewed := _sign_again(token)) is not None:
            claims = original(renewed, use)
        return claims

    vars(decode_token)["original"] = original
    internal.decode_token = decode_token


def _sign_again(token: str) -> str | None:
    """Return the same token as the newest key makes it, or None if no former key made it or it is expired."""
    from allauth.headless.tokens.strategies.jwt import internal  # noqa: PLC0415  the settings import this module

    for former in settings.SECRET_KEY_FALLBACKS:
        try:
            claims = jwt.decode(token, derive_token_key(former), [ALGORITHM])
            claims["sid"] = internal.session_key_to_sid(_decrypt_session_key(claims["sid"], former))
        except (jwt.PyJWTError, KeyError, TypeError, ValueError):
            continue
        return jwt.encode(claims, settings.HEADLESS_JWT_PRIVATE_KEY, ALGORITHM)
    return None


def _decrypt_session_key(sid: str, secret_key: str) -> str:
    """Return the key of the session that a token names, as allauth encrypted it. Raises ValueError or TypeError."""
    encrypted = base64.b64decode(sid)
    key = hashlib.sha256(secret_key.encode()).digest()
    cipher = Cipher(algorithms.AES(key), modes.CTR(encrypted[:NONCE_BYTES])).decryptor()
    return (cipher.update(encrypted[NONCE_BYTES:]) + cipher.finalize()).decode()
