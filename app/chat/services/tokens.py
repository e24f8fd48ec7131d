"""Random tokens of invitations and integrations. The database has only their hashes."""

import hashlib
import secrets


def create_token(random_bytes: int, prefix: str = "") -> tuple[str, str]:
    """Return a new token and its hash."""
    token = prefix + secrets.token_urlsafe(random_bytes)
    return token, hash_token(token)


def hash_token(token: str) -> str:
    """Return the SHA-256 of a token. It needs no salt and no slow hash, because a random token cannot be guessed."""
    return hashlib.sha256(token.encode()).hexdigest()
