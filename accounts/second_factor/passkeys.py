"""Passkeys (WebAuthn): what a browser is asked, and whether its answer is right.

The ceremony is django-allauth's and fido2's. An answer that cannot be read is a wrong one.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from allauth.core import context
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth
from django.core.exceptions import ValidationError

from accounts.models import User

MOST_PASSKEYS = 10
"""How many passkeys a person can have: each is sent to the browser when one is asked for."""

LONGEST_ANSWER = 20_000
"""The characters of an answer; one with a certificate of the maker has some 5,000."""

TO_ADD, TO_USE = "passkey_to_add", "passkey_to_use"
"""Where a session keeps what a browser was asked: apart, so that a passkey that waits for its
person to be proved is still awaited when another one has proved them."""


class WrongAnswer(Exception):
    """The answer of a browser that does not prove what was asked."""


def to_add(person: User) -> dict[str, Any]:
    """What the browser needs to make a new passkey; it may answer once."""
    return _asked(TO_ADD, auth.begin_registration(person, passwordless=False))


def to_use(person: User) -> dict[str, Any]:
    """What the browser needs to use one of the person's passkeys; it may answer once."""
    return _asked(TO_USE, auth.begin_authentication(person))


def added(person: User, answer: str) -> Mapping[str, Any]:
    """The new passkey in an answer to `to_add`. Raises WrongAnswer."""
    with _answered(TO_ADD):
        credential = json.loads(answer)
        auth.parse_registration_response(credential)
        made = auth.complete_registration(credential).credential_data
        if made is None or auth.get_authenticator_by_credential_id(person, made.credential_id):
            raise WrongAnswer
        found: Mapping[str, Any] = credential
    return found


def used(person: User, answer: str) -> Authenticator:
    """The passkey of the person that signed an answer to `to_use`. Raises WrongAnswer."""
    with _answered(TO_USE):
        credential = json.loads(answer)
        auth.parse_authentication_response(credential)
        found: Authenticator = auth.complete_authentication(person, credential)
    return found


def _asked(what: str, options: Mapping[str, Any]) -> dict[str, Any]:
    context.request.session[what] = auth.get_state()
    auth.clear_state()
    return _plain(options)


@contextmanager
def _answered(what: str) -> Iterator[None]:
    """An answer can be used once, be it right or wrong."""
    auth.set_state(context.request.session.pop(what, None))
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
