"""What is done to second factors, and the proof by one, with history and notices."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from allauth.mfa.webauthn.internal.auth import WebAuthn
from django.db import transaction
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from accounts.letters import tell
from accounts.mailed_codes import digest_of
from accounts.models import CodeTries, User
from accounts.own_acts import locked, own_event
from accounts.second_factor import recovery_codes
from accounts.second_factor.factors import held, name_of, take_app_code
from accounts.second_factor.passkeys import MOST_PASSKEYS
from audit.services import Refusal, record, refuse
from notices.services import notify

MAILED = "mailed_code"
"""What proved a person who has no factor."""


@transaction.atomic
def add_passkey(
    *, actor: User, name: str, credential: Mapping[str, Any], at: datetime
) -> Authenticator | Refusal:
    """Keep a passkey that the person's browser has just made, and recovery codes with the first."""
    person = locked(actor)
    if len(held(person).passkeys) >= MOST_PASSKEYS:
        message = _("You have as many passkeys as one person can have. Remove one first.")
        return Refusal("too_many_passkeys", message)
    factor: Authenticator = WebAuthn.add(person, name, dict(credential)).instance
    _added(person, factor, at)
    return factor


@transaction.atomic
def add_app(*, actor: User, secret: str, code: str, at: datetime) -> Authenticator | Refusal:
    """Keep an authenticator app that shows the right code, and recovery codes with the first."""
    person = locked(actor)
    if held(person).app:
        return Refusal("app_kept", _("You have an authenticator app already. Remove it first."))
    factor: Authenticator = TOTP.activate(person, secret).instance
    if not take_app_code(factor, code, at):
        factor.delete()
        return Refusal("wrong_code", _("The code is not right."))
    _added(person, factor, at)
    return factor


@transaction.atomic
def rename_passkey(*, actor: User, passkey: Authenticator, name: str, at: datetime) -> None:
    """Call a passkey by another name. Where nothing differs, nothing is written."""
    person = locked(actor)
    before = name_of(passkey)
    if name == before:
        return
    passkey.data["name"] = name
    passkey.save(update_fields=["data"])
    record(**own_event("second_factor.rename", person, at, name, before={"name": before}))


@transaction.atomic
def remove_factor(*, actor: User, factor: Authenticator, at: datetime) -> None:
    """Take a factor away, and the recovery codes with the last one. Twice is like once."""
    person = locked(actor)
    found = [one for one in held(person).listed if one.pk == factor.pk]
    for one in found:
        _remove(person, one, at)
    left = held(person)
    if found and left.codes and not left.any:
        left.codes.delete()


@transaction.atomic
def make_recovery_codes(*, actor: User, at: datetime) -> Authenticator | Refusal:
    """Ten new recovery codes; the old ones work no more."""
    person = locked(actor)
    mine = held(person)
    if not mine.any:
        message = _("Recovery codes stand in for a passkey or an app. Add one of these first.")
        return Refusal("no_factor", message)
    if mine.codes:
        mine.codes.delete()
    made = _codes_made(person, at)
    _tell(person, "codes", made, at)
    return made


@transaction.atomic
def show_recovery_codes(*, actor: User) -> list[str] | None:
    """The codes that nobody has seen yet, which are seen by that; None where there are none at all.

    Under the lock of the person: what is used meanwhile stays used.
    """
    codes = held(locked(actor)).codes
    return None if codes is None else recovery_codes.show(codes)


@transaction.atomic
def prove_by_code(*, person: User, code: str, mailed: str = "", at: datetime) -> str | Refusal:
    """Judge a code that was typed; tells what kind of factor it is of.

    `mailed` is the digest of the code that was mailed to somebody without a factor. After ten
    wrong codes in a row none is taken for an hour, the right one neither.
    """
    row = locked(person)
    tries = CodeTries.objects.filter(person=row).first()
    if tries and tries.bar(at):
        return Refusal(
            "codes_locked",
            _("Too many codes were wrong. No code is taken for an hour after the last of them."),
        )
    if kind := _kind_of(row, code, mailed, at):
        CodeTries.objects.filter(person=row).delete()
        return kind
    return _wrong(row, tries, _("The code is not right."), at)


@transaction.atomic
def prove_by_passkey(*, person: User, passkey: Authenticator | None, at: datetime) -> str | Refusal:
    """Note the passkey that proved the person, or that an answer proved nothing (None).

    What was taken away meanwhile, as by a recovery, proves nothing either. A wrong answer counts as
    a wrong code: nobody fills the history with them.
    """
    row = locked(person)
    if passkey and (kept := Authenticator.objects.filter(pk=passkey.pk, user=row).first()):
        return _used(kept, at)
    tries = CodeTries.objects.filter(person=row).first()
    message = _("The passkey was not recognized. Please try again.")
    if not held(row).passkeys or (tries and tries.bar(at)):
        return Refusal("not_proved", message)
    return _wrong(row, tries, message, at)


@transaction.atomic
def mail_code(*, person: User, code: str, at: datetime) -> None:
    """Mail somebody without a factor the code that proves who they are."""
    notify(
        key=f"proof-code:{person.pk}:{at.timestamp()}",
        template="accounts/email/proof_code.txt",
        recipient=person,
        context={},
        secret=code,
    )


def _kind_of(person: User, code: str, mailed: str, at: datetime) -> str:
    """Which factor a code is of; nothing for a wrong one."""
    mine = held(person)
    if not mine.any:
        is_right = bool(mailed) and constant_time_compare(digest_of(code), mailed)
        return MAILED if is_right else ""
    if mine.app and take_app_code(mine.app, code, at):
        return _used(mine.app, at)
    if mine.codes and recovery_codes.take(mine.codes, code):
        return _used(mine.codes, at)
    return ""


def _used(factor: Authenticator, at: datetime) -> str:
    """Note the use of a factor; tells its kind."""
    factor.last_used_at = at
    factor.save(update_fields=["last_used_at"])
    return str(factor.type)


def _wrong(person: User, tries: CodeTries | None, message: str, at: datetime) -> Refusal:
    """Count a wrong answer, and say so where it is one too many."""
    tries = tries or CodeTries(person=person, wrong=0)
    tries.count(at)
    tries.save()
    if tries.bar(at):
        tell(
            person=person,
            key=f"codes-locked:{person.pk}:{at.timestamp()}",
            change="locked",
            at=at,
        )
    return _refused(person, message, at)


def _refused(person: User, message: str, at: datetime) -> Refusal:
    """A proof that failed stands in the history."""
    about = own_event("second_factor.prove", person, at)
    return refuse(code="not_proved", message=message, **about)


def _added(person: User, factor: Authenticator, at: datetime) -> None:
    """What belongs to every new factor: its dates, codes for the day it is lost, event, notice."""
    factor.created_at = at
    factor.save(update_fields=["created_at"])
    record(
        **own_event("second_factor.add", person, at, name_of(factor), after={"kind": factor.type})
    )
    _tell(person, "add", factor, at)
    if not held(person).codes:
        _codes_made(person, at)


def _codes_made(person: User, at: datetime) -> Authenticator:
    made = recovery_codes.make(person)
    made.created_at = at
    made.save(update_fields=["created_at"])
    record(**own_event("recovery_codes.make", person, at, after={"kind": made.type}))
    return made


def _remove(person: User, factor: Authenticator, at: datetime) -> None:
    record(
        **own_event(
            "second_factor.remove", person, at, name_of(factor), before={"kind": factor.type}
        )
    )
    _tell(person, "remove", factor, at)
    factor.delete()


def _tell(person: User, change: str, factor: Authenticator, at: datetime) -> None:
    name = name_of(factor) if change != "codes" else ""
    tell(person=person, key=f"factor:{change}:{factor.pk}", change=change, name=name, at=at)
