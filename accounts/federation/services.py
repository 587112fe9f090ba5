"""Ways to sign in: one more, linked from inside, and one less, with history and notices."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.letters import tell
from accounts.models import User
from accounts.own_acts import locked, own_event
from audit.services import Refusal, record, refuse

NAMES: dict[str, Promise] = {
    "gckey": gettext_lazy("GCKey"),
    "sign-in-partner": gettext_lazy("Sign-In Partner"),
}
"""What the identity providers are called; one that has no name here is called by its own."""


def configured() -> set[str]:
    """The identity providers with which people can sign in now."""
    protocols: Mapping[str, Any] = settings.SOCIALACCOUNT_PROVIDERS
    return {app["provider_id"] for app in protocols.get("openid_connect", {}).get("APPS", [])}


def name_of(provider: str) -> str:
    """What an identity provider is called."""
    return str(NAMES.get(provider, provider))


@transaction.atomic
def link_identity(*, actor: User, provider: str, uid: str, at: datetime) -> SocialAccount | Refusal:
    """Let a person sign in with an identity too that was proved in this session.

    It must be nobody's: an identity is never taken from a person, whatever the addresses say. Of
    two people who link it in one instant, the second is refused.
    """
    person = locked(actor)
    about = own_event("identity.link", person, at, NAMES.get(provider, provider))
    known, is_new = SocialAccount.objects.get_or_create(
        provider=provider, uid=uid, defaults={"user": person}
    )
    if is_new:
        record(**about)
        tell(
            person=person,
            key=f"identity:link:{known.pk}",
            change="link",
            name=name_of(provider),
            at=at,
        )
        linked: SocialAccount = known
        return linked
    if known.user_id == person.pk:
        return Refusal("linked", _("You sign in this way already. Nothing has changed."))
    message = _(
        "Somebody else signs in to the portal this way. Nothing has changed: sign in that way to"
        " see whose account it is, or choose another."
    )
    return refuse(code="identity_of_another", message=message, **about)


@transaction.atomic
def unlink_identity(
    *, actor: User, identity: SocialAccount, at: datetime
) -> SocialAccount | Refusal:
    """Take a way to sign in from a person, but never the last one that still leads in."""
    person = locked(actor)
    about = own_event(
        "identity.unlink", person, at, NAMES.get(identity.provider, identity.provider)
    )
    others = SocialAccount.objects.filter(user=person, provider__in=configured())
    if not others.exclude(pk=identity.pk).exists() and not has_password(person):
        message = _("It is your only way to sign in. Link another one first.")
        return refuse(code="last_way_in", message=message, **about)
    key = f"identity:unlink:{identity.pk}"
    SocialAccount.objects.filter(pk=identity.pk, user=person).delete()
    record(**about)
    tell(person=person, key=key, change="unlink", name=name_of(identity.provider), at=at)
    return identity


def has_password(person: User) -> bool:
    """Whether a person signs in with a password of the portal's own, where it has any."""
    return settings.LOCAL_ACCOUNTS and person.has_usable_password()
