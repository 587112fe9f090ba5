"""What only this portal can read: sealed with a key made from the secret of the settings."""

import hashlib
from base64 import urlsafe_b64encode
from functools import cache

from cryptography.fernet import Fernet
from django.conf import settings


def cipher(salt: str) -> Fernet:
    """What seals and opens the texts of one use; those of another use cannot be opened by it."""
    return _cipher(settings.SECRET_KEY, salt)


@cache
def _cipher(secret: str, salt: str) -> Fernet:
    return Fernet(urlsafe_b64encode(hashlib.sha256(f"{secret}:{salt}".encode()).digest()))
