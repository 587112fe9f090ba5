"""What only this portal can read: sealed with a key made from the secret of the settings."""

import hashlib
from base64 import urlsafe_b64encode
from functools import cache

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


def cipher(salt: str) -> MultiFernet:
    """What seals and opens the texts of one use; those of another use cannot be opened by it.

    What a former secret of the settings sealed is opened too, until the settings forget it.
    """
    return _cipher((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS), salt)


@cache
def _cipher(secrets: tuple[str, ...], salt: str) -> MultiFernet:
    keys = (hashlib.sha256(f"{secret}:{salt}".encode()).digest() for secret in secrets)
    return MultiFernet([Fernet(urlsafe_b64encode(key)) for key in keys])
