"""What an identity provider signs, checked before a word of it is believed.

Sources: OpenID Connect Core 1.0, section 3.1.3.7 (ID tokens); OpenID Connect Back-Channel Logout
1.0, section 2.6 (logout tokens); RFC 8725 (what goes wrong with signed tokens).
"""

import hashlib
import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from time import monotonic
from typing import Any, override

import jwt
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import SpentToken
from accounts.sign_in import AnswerRefused

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Signatures by a private key alone: none, and a shared secret, sign nothing."""

SKEW = timedelta(minutes=3)
"""How far the clocks of a provider and of the portal may be apart."""

KEPT_BEYOND = timedelta(minutes=5)
"""How long a spent token is remembered after nobody takes it any more."""

LOGOUT = "http://schemas.openid.net/event/backchannel-logout"


@dataclass(frozen=True)
class Issuer:
    """A provider as the portal knows it: who signs, for whom, with what, and how sure it must be.

    `acr` names the levels of assurance that are enough, any one of them; none named: any level.
    """

    url: str
    client_id: str
    keys_url: str
    acr: tuple[str, ...] = ()


def identity(issuer: str, subject: str) -> str:
    """The one name of a person at a provider: issuer and subject together, of one length.

    The same subject at another issuer is somebody else (OpenID Connect Core 1.0, section 5.7). The
    subject itself is not kept.
    """
    return hashlib.sha256(f"{issuer}\n{subject}".encode()).hexdigest()


def nonce_of(code_verifier: str) -> str:
    """The nonce of a sign-in: drawn from its secret, so that both stand and fall together."""
    return hmac.digest(code_verifier.encode(), b"nonce", "sha256").hex()


def id_claims(token: str, issuer: Issuer, *, nonce: str, since: datetime) -> dict[str, Any]:
    """The claims of an ID token that the issuer signed for this portal and this sign-in, once.

    `since` is when the sign-in began: who proved to be somebody before has to do so again.

    Raises AnswerRefused, with the reason.
    """
    claims = _signed(token, issuer, types=("", "JWT"), required=("sub", "nonce", "auth_time"))
    if not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
        raise AnswerRefused("nonce")
    if not _is_name(claims["sub"]):
        raise AnswerRefused("sub")
    if "events" in claims:
        raise AnswerRefused("logout token")
    if issuer.acr and claims.get("acr") not in issuer.acr:
        raise AnswerRefused("acr")
    _hold_to_time(claims["auth_time"], since)
    _spend(f"{issuer.url} nonce {nonce}", claims["exp"])
    return claims


def logout_claims(token: str, issuer: Issuer) -> dict[str, Any]:
    """The claims of a logout token, by which a provider says that a person left it; once.

    Raises AnswerRefused, with the reason.
    """
    claims = _signed(token, issuer, types=("", "JWT", "logout+jwt"), required=("jti", "events"))
    events = claims["events"]
    if not isinstance(events, Mapping) or not isinstance(events.get(LOGOUT), Mapping):
        raise AnswerRefused("events")
    if "nonce" in claims:
        raise AnswerRefused("nonce")
    named = [claims[name] for name in ("sub", "sid") if name in claims]
    if not named or not all(map(_is_name, named)):
        raise AnswerRefused("names nobody")
    _spend(f"{issuer.url} jti {claims['jti']}", claims["exp"])
    return claims


def _signed(
    token: str, issuer: Issuer, *, types: Collection[str], required: Collection[str]
) -> dict[str, Any]:
    """The claims of a token by the issuer's key, for this client, within its time."""
    try:
        header = jwt.get_unverified_header(token)
        if header.get("typ", "") not in types:
            raise AnswerRefused("typ")
        if header.get("alg") not in ALGORITHMS:
            raise AnswerRefused("alg")
        claims: dict[str, Any] = jwt.decode(
            token,
            keys_at(issuer.keys_url).get_signing_key(str(header.get("kid"))),
            algorithms=list(ALGORITHMS),
            issuer=issuer.url,
            audience=issuer.client_id,
            leeway=SKEW,
            options={"require": ["iss", "aud", "exp", "iat", *required]},
        )
    except jwt.PyJWTError as error:
        raise AnswerRefused(type(error).__name__) from error
    except (TypeError, ValueError, OverflowError, OSError) as error:
        raise AnswerRefused("unreadable") from error
    if not _is_for(claims, issuer.client_id):
        raise AnswerRefused("azp")
    return claims


def _is_for(claims: Mapping[str, Any], client_id: str) -> bool:
    """Whether a token for several is this client's, as its authorized party."""
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    return bool(claims.get("azp", None if several else client_id) == client_id)


def _is_name(value: object) -> bool:
    """Whether a provider can mean somebody by it: 1 to 255 ASCII characters (Core 1.0, 2)."""
    return isinstance(value, str) and 0 < len(value) <= 255 and value.isascii()


def _hold_to_time(auth_time: object, since: datetime) -> None:
    """The person proved to be who they are for this sign-in, and did not do so in the future."""
    if isinstance(auth_time, bool) or not isinstance(auth_time, (int, float)):
        raise AnswerRefused("auth_time")
    if not (since - SKEW).timestamp() <= auth_time <= (timezone.now() + SKEW).timestamp():
        raise AnswerRefused("auth_time")


def _spend(name: str, expires: str | float) -> None:
    """Take a token for the one time that it is good for.

    It is remembered until no clock takes it any more; of two at once the database lets one through.
    """
    now = timezone.now()
    try:
        until = datetime.fromtimestamp(int(expires), UTC) + SKEW + KEPT_BEYOND
        with transaction.atomic():
            SpentToken.objects.filter(until__lt=now).delete()
            SpentToken.objects.create(digest=hashlib.sha256(name.encode()).hexdigest(), until=until)
    except IntegrityError as error:
        raise AnswerRefused("used before") from error
    except (ValueError, OverflowError, OSError) as error:
        raise AnswerRefused("exp") from error


class Keys(jwt.PyJWKClient):
    """The keys published at an address: fetched once in five minutes.

    At an unknown key, and where they could not be had, it is once in half a minute: nobody can make
    the portal ask without end.
    """

    failed_at: float | None = None

    @override
    def fetch_data(self) -> Any:
        if self.failed_at is not None and monotonic() - self.failed_at < self.cooldown_duration:
            raise jwt.PyJWKClientConnectionError("could not be had a moment ago")
        try:
            found = super().fetch_data()
        except Exception:
            self.failed_at = monotonic()
            raise
        self.failed_at = None
        return found


@lru_cache(maxsize=16)
def keys_at(url: str) -> Keys:
    """The keys at an address, one holder for each process."""
    return Keys(url, timeout=5)
