"""What an officer reads of a business that is looked up: its people, and its relationships.

The same number of queries however many there are.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from businesses.models import BusinessAccount
from delegation.models import Membership, Relationship
from delegation.models.periods import during
from delegation.standing import OwnRoles, own_roles
from delegation.terms import program_label, until

MOST = 100
"""How many people, and how many relationships, the overview lists."""


@dataclass(frozen=True)
class Holder:
    """A person of the business, and the roles held there in words."""

    name: str
    email: str
    roles: tuple[str, ...]
    is_suspended: bool


@dataclass(frozen=True)
class Related:
    """A business on the other side of a relationship."""

    business: BusinessAccount
    side: str
    until: str
    is_suspended: bool


def people_of(business: BusinessAccount, at: datetime) -> list[Holder]:
    """The first people of a business by name, with what each holds: 3 queries."""
    members = Membership.objects.filter(during(at), business=business).select_related("person")
    shown = list(members.order_by("person__last_name", "person__first_name", "pk")[:MOST])
    held = own_roles([one.person_id for one in shown], [business.pk], at)
    labels = {one.pk: program_label(one) for one in business.programs.order_by("extension")}
    return [
        Holder(
            name=one.person.get_full_name(),
            email=one.person.email,
            roles=tuple(_roles(held[one.person_id, business.pk], labels)),
            is_suspended=one.suspended_at is not None,
        )
        for one in shown
    ]


def _roles(own: OwnRoles, labels: dict[int, str]) -> list[str]:
    """The roles of a person: as manager of the business, then on each program account."""
    of_business = [str(own.bam.role.label)] if own.bam else []
    return of_business + [
        _("%(role)s of %(program)s") % {"role": path.role.label, "program": labels[program]}
        for program, paths in own.programs.items()
        for path in paths
    ]


def relationships_of(business: BusinessAccount, at: datetime) -> list[Related]:
    """The live relationships of a business, on either side, those that end first on top."""
    rows = Relationship.objects.filter(during(at), Q(client=business) | Q(provider=business))
    shown = rows.select_related("client", "provider").order_by("ends_at", "pk")[:MOST]
    return [
        Related(
            business=one.provider if one.client_id == business.pk else one.client,
            side=_("Service provider") if one.client_id == business.pk else _("Client"),
            until=capfirst(until(one.ends_at)),
            is_suspended=one.suspended_at is not None,
        )
        for one in shown
    ]
