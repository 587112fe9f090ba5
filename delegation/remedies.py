"""What would give access: for each reason of a refusal who can give it, and where to ask.

A page is offered only where it opens for the person and takes the request.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.models import AccessRequest, RelationshipRequest
from delegation.permissions import can_request_relationship
from delegation.reasons import Reason
from delegation.roles import Role
from delegation.services.roles import lasting_managers, managers_of


@dataclass(frozen=True)
class Remedy:
    """Who can give what is missing, and the page where it is asked for ("" where there is none)."""

    words: str
    url: str = ""
    label: str = ""


@dataclass(frozen=True)
class Refused:
    """What was refused: to whom, why, and what the address names (client, program account)."""

    reason: Reason
    access: Access
    named: Mapping[str, str] = field(default_factory=dict)


def remedy(refused: Refused) -> Remedy:
    """What would give access after a refusal."""
    return _REMEDIES[refused.reason](refused)


def _only(words: str | Promise) -> Callable[[Refused], Remedy]:
    """There is nothing to ask for on a page: the words say who can change it."""
    return lambda refused: Remedy(str(words) % {"business": refused.access.acting_for.name})


def _by_managers(access: Access, words: str) -> str:
    """The words with the managers of the business acted for, other than the person."""
    every = managers_of(access.acting_for.bn9, access.at)
    names = ", ".join(one.get_full_name() for one in every if one != access.person)
    if not names:
        return _("%(business)s has no manager at present.") % {"business": access.acting_for.name}
    return words % {"names": names}


# ---------------------------------------------------------------- the own business


def _ask_employer(refused: Refused) -> Remedy:
    """A role, asked of the own managers."""
    if refused.access.is_bam:
        return Remedy(_("You manage this business. What you cannot do is for another manager."))
    if not lasting_managers(refused.access.acting_for, refused.access.at):
        url = reverse("continuity_detail", kwargs={"bn9": refused.access.acting_for.bn9})
        said = _("%(business)s has no manager at present.")
        named = {"business": refused.access.acting_for.name}
        return Remedy(said % named, url, _("What you can do now"))
    words = _("A Business Account Manager can give you more access: %(names)s.")
    said = _by_managers(refused.access, words)
    return _by_access_request(refused, said, _("Request access"))


def _let_in(refused: Refused) -> Remedy:
    """Whoever does not belong to the business asks to."""
    words = _("A manager of the business can let you in, if you work for it.")
    return _by_access_request(refused, words, _("Request access to my employer"))


def _by_access_request(refused: Refused, words: str, label: str) -> Remedy:
    """An access request; the one that waits, where there is one."""
    access = refused.access
    mine = AccessRequest.objects.pending_at(access.at).filter(person=access.person)
    waiting = mine.filter(bn9=access.acting_for.bn9).first()
    if waiting is None:
        return Remedy(words, _access_request(refused), label)
    url = reverse("access_request_status", kwargs={"pk": waiting.pk})
    return Remedy(words, url, _("Open my request that is waiting"))


def _access_request(refused: Refused) -> str:
    """The form of an access request, filled in with what the person was refused."""
    known = {"bn9": refused.access.acting_for.bn9}
    if refused.named.get("extension") and "client_bn9" not in refused.named:
        wish = Role.READER if refused.reason is Reason.NO_ROLE else Role.EDITOR
        known |= {"extension_1": refused.named["extension"], "role_1": wish.value}
    return f"{reverse('access_request_create')}?{urlencode(known)}"


# ---------------------------------------------------------------- clients


def _ask_client(refused: Refused) -> Remedy:
    """Wider terms, asked of the client by a manager of the firm, where the firm can ask."""
    access, client_bn9 = refused.access, refused.named.get("client_bn9", "")
    if access.acting_for.status != BusinessAccount.Status.ACTIVE:
        return remedy(replace(refused, reason=Reason.BUSINESS_NOT_ACTIVE))
    if not access.is_provider:
        return remedy(replace(refused, reason=Reason.NOT_A_PROVIDER))
    if not can_request_relationship(access).allowed:
        said = _("The client decides it. A manager of your firm can ask the client: %(names)s.")
        return Remedy(_by_managers(access, said))
    words = _("The client decides it. You can ask the client with a relationship request.")
    here = {"bn9": access.acting_for.bn9}
    waiting = (
        RelationshipRequest.objects.pending_at(access.at)
        .filter(
            provider=access.acting_for,
            client_bn9=client_bn9,
        )
        .first()
    )
    if waiting:
        url = reverse("relationship_request_status", kwargs={**here, "pk": waiting.pk})
        return Remedy(words, url, _("Open the request that is waiting"))
    url = reverse("relationship_request_create", kwargs=here)
    known = urlencode({"client_bn9": client_bn9})
    return Remedy(words, f"{url}?{known}", _("Request a business relationship"))


def _ask_firm(refused: Refused) -> Remedy:
    """An assignment, which the managers of the firm make."""
    words = _("A Business Account Manager of your firm can assign you: %(names)s.")
    return Remedy(_by_managers(refused.access, words))


_REMEDIES: dict[Reason, Callable[[Refused], Remedy]] = {
    Reason.PERSON_DISABLED: _only(
        gettext_lazy("Only those who run this portal can enable it again.")
    ),
    Reason.NO_MEMBERSHIP: _let_in,
    Reason.MEMBERSHIP_SUSPENDED: _only(
        gettext_lazy("A Business Account Manager of %(business)s can resume your access.")
    ),
    Reason.BUSINESS_NOT_ACTIVE: _only(
        gettext_lazy("It can be changed again once the account is active.")
    ),
    Reason.PROGRAM_CLOSED: _only(
        gettext_lazy("Nothing more can be done with a closed program account.")
    ),
    Reason.NO_ROLE: _ask_employer,
    Reason.ROLE_TOO_LOW: _ask_employer,
    Reason.NO_RELATIONSHIP: _ask_client,
    Reason.NOT_ASSIGNED: _ask_firm,
    Reason.NOT_IN_SCOPE: _ask_client,
    Reason.RELATIONSHIP_OVER: _ask_client,
    Reason.RELATIONSHIP_SUSPENDED: _only(
        gettext_lazy("Only a manager of the client can lift the suspension.")
    ),
    Reason.NOT_A_PROVIDER: _only(
        gettext_lazy("Only a service provider can act for clients, by the register.")
    ),
    Reason.HIDDEN: _ask_client,
    Reason.VIEW_ONLY: _ask_client,
    Reason.CEILING: _ask_client,
    Reason.ASSIGNMENT_TOO_LOW: _ask_firm,
    Reason.PROVIDER_TYPE: _only(
        gettext_lazy(
            "The importer can do it, or a licensed customs broker to whom it gave this right."
        )
    ),
}
