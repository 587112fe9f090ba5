"""Passkeys (WebAuthn): what a browser is asked, and whether its answer is right.

The ceremony is django-allauth's and fido2's. An answer that cannot be read is a wrong one.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth
from django.core.exceptions import ValidationError

from accounts.models import User

MOST_PASSKEYS = 10
"""How many passkeys a person can have: each is sent to the browser when one is asked for."""

LONGEST_ANSWER = 20_000
"""The characters of an answer; one with a certificate of the maker has some 5,000."""


class WrongAnswer(Exception):
    """The answer of a browser that does not prove what was asked."""


def to_add(person: User) -> dict[str, Any]:
    """What the browser needs to make a new passkey; it may answer once."""
    return _plain(auth.begin_registration(person, passwordless=False))


def to_use(person: User) -> dict[str, Any]:
    """What the browser needs to use one of the person's passkeys; it may answer once."""
    return _plain(auth.begin_authentication(person))


def added(person: User, answer: str) -> Mapping[str, Any]:
    """The new passkey in an answer to `to_add`. Raises WrongAnswer."""
    with _readable():
        credential = json.loads(answer)
        auth.parse_registration_response(credential)
        made = auth.complete_registration(credential).credential_data
        if made is None or auth.get_authenticator_by_credential_id(person, made.credential_id):
            raise WrongAnswer
        found: Mapping[str, Any] = credential
    return found


def used(person: User, answer: str) -> Authenticator:
    """The passkey of the person that signed an answer to `to_use`. Raises WrongAnswer."""
    with _readable():
        credential = json.loads(answer)
        auth.parse_authentication_response(credential)
        found: Authenticator = auth.complete_authentication(person, credential)
    return found


@contextmanager
def _readable() -> Iterator[None]:
    """An answer can be used once, be it right or wrong."""
    try:
        yield
    except (ValidationError, TypeError, ValueError, LookupError, AttributeError) as error:
        raise WrongAnswer from error
    finally:
        auth.clear_state()


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """What a browser is told, as JSON can say it."""
    return {name: _value(value) for name, value in options.items()}


def _value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _plain(value)
    if isinstance(value, list | tuple):
        return [_value(one) for one in value]
    return value
