"""Codes that are sent by mail: what is kept of one is a keyed digest, and never the code."""

from typing import Self

from django.utils.crypto import salted_hmac


def digest_of(code: str) -> str:
    """What stands for a mailed code where it is kept, however it is typed."""
    typed = "".join(letter for letter in code.upper() if letter.isalnum())
    return salted_hmac("accounts.mailed_code", typed, algorithm="sha256").hexdigest()


class MailedCode(str):
    """The digest of a new code; `plain` is the code, for the mail alone.

    django-allauth keeps what it is given in the session, which holds text: `plain` stays behind.
    """

    plain: str

    @classmethod
    def of(cls, code: str) -> Self:
        made = cls(digest_of(code))
        made.plain = code
        return made
