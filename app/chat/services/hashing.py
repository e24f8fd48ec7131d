"""Secrets that are told once, when they are made; afterwards we know them again by their digest."""

import hashlib


def hash_token(token: str) -> str:
    """Random as the token is, a plain hash keeps it: there is nothing to guess."""
    return hashlib.sha256(token.encode()).hexdigest()
