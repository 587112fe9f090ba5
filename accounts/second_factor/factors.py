"""The factors of a person as the pages tell them, and the codes that may be typed."""

from dataclasses import dataclass
from datetime import datetime

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.mfa.utils import decrypt, encrypt
from cryptography.fernet import InvalidToken
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.second_factor import recovery_codes

PASSKEY, APP = Authenticator.Type.WEBAUTHN, Authenticator.Type.TOTP
CODES = Authenticator.Type.RECOVERY_CODES

PERIOD = 30
"""The seconds that the code of an authenticator app lasts (RFC 6238)."""

COUNTER = "counter"
"""The period, counted from the epoch, of the newest code that was taken from an app."""


@dataclass(frozen=True)
class Held:
    """The factors of a person, in one query."""

    passkeys: tuple[Authenticator, ...]
    app: Authenticator | None
    codes: Authenticator | None

    @property
    def any(self) -> bool:
        """Whether the person signs in with one of them, and not with a mailed code."""
        return bool(self.passkeys or self.app)

    @property
    def listed(self) -> list[Authenticator]:
        """What can be used day by day: recovery codes are for the day when it is lost."""
        return [*self.passkeys, *([self.app] if self.app else [])]

    @property
    def codes_left(self) -> int:
        """How many recovery codes can still be used."""
        return recovery_codes.left(self.codes) if self.codes else 0


def held(person: User) -> Held:
    """What a person has set up."""
    found = list(Authenticator.objects.filter(user=person).order_by("pk"))
    return Held(
        passkeys=tuple(one for one in found if one.type == PASSKEY),
        app=next((one for one in found if one.type == APP), None),
        codes=next((one for one in found if one.type == CODES), None),
    )


def name_of(factor: Authenticator) -> str:
    """What a factor is called."""
    if factor.type == PASSKEY:
        return str(factor.data["name"])
    return _("Authenticator app") if factor.type == APP else _("Recovery codes")


def app_code(secret: str, at: datetime) -> str:
    """The code that an authenticator app shows at an instant."""
    return str(format_hotp_value(hotp_value(secret, _period(at))))


def take_app_code(app: Authenticator, code: str, at: datetime) -> bool:
    """Whether it is the code of the instant; each is taken once.

    The caller holds the lock of the person. Source: RFC 6238, section 5.2. Its key is sealed anew
    by the newest secret of the settings; where that secret is lost, no code is right.
    """
    if app.data.get(COUNTER, -1) >= _period(at):
        return False
    try:
        secret = decrypt(app.data["secret"])
    except InvalidToken:
        return False
    if not compare_user_code(actual=code, expected=app_code(secret, at)):
        return False
    app.data |= {COUNTER: _period(at), "secret": encrypt(secret)}
    app.save(update_fields=["data"])
    return True


def _period(at: datetime) -> int:
    return int(at.timestamp()) // PERIOD
