"""Ten codes for the day when a passkey or a telephone is lost, each of them good for one sign-in.

A code is a digit that says which of the ten it is, so that one slow hash is computed for what is
typed, and eleven random ones. Kept are salted hashes; beside them, sealed, the codes that no page
has shown yet. Source: ASVS 5.0.0, 6.5.1 to 6.5.3.
"""

import secrets
import unicodedata

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import decrypt, encrypt
from cryptography.fernet import InvalidToken
from django.contrib.auth.hashers import check_password, make_password

from accounts.models import User

NUMBER = 10
RANDOM_DIGITS = 11

HASHES, UNSEEN = "hashes", "unseen"
"""Of `Authenticator.data`: hash by first digit, of the codes that are left; sealed codes."""


def make(person: User) -> Authenticator:
    """Draw and keep ten codes. The caller holds the lock of the person, who has none."""
    codes = [f"{one}{secrets.randbelow(10**RANDOM_DIGITS):011}" for one in range(NUMBER)]
    return Authenticator.objects.create(
        user=person,
        type=Authenticator.Type.RECOVERY_CODES,
        data={
            HASHES: {code[0]: make_password(code) for code in codes},
            UNSEEN: [encrypt(code) for code in codes],
        },
    )


def show(kept: Authenticator) -> list[str]:
    """The codes that nobody has seen yet, in groups as they are read; afterwards there are none.

    Where the secret that sealed them is gone, there are none already.
    """
    try:
        codes = [decrypt(sealed) for sealed in kept.data[UNSEEN]]
    except InvalidToken:
        codes = []
    kept.data[UNSEEN] = []
    kept.save(update_fields=["data"])
    return [f"{code[:4]} {code[4:8]} {code[8:]}" for code in codes]


def left(kept: Authenticator) -> int:
    """How many codes can still be used."""
    return len(kept.data[HASHES])


def take(kept: Authenticator, typed: str) -> bool:
    """Whether it is one of the codes that are left; it is used by that."""
    code = "".join(str(unicodedata.digit(one)) for one in typed if one.isdecimal())
    hashes = kept.data[HASHES]
    if len(code) != 1 + RANDOM_DIGITS or not check_password(code, hashes.get(code[0], "")):
        return False
    del hashes[code[0]]
    kept.save(update_fields=["data"])
    return True
