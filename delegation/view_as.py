"""What a firm sees of one client: the access of its managers, who reach every one, or a person's.

Whom a firm lets work for a client is the firm's own matter (decision 16): what its managers can see
is the most that anybody of the firm can. A person is one whom the client knows by name already.
"""

from uuid import UUID

from django.shortcuts import get_object_or_404

from accounts.models import User
from delegation.access import Access
from delegation.models import ViewAs
from delegation.reasons import Reason
from delegation.roles import Role
from delegation.standing import OwnRoles, Path, PathKind, own_roles

MANAGER = OwnRoles(
    Reason.ALLOWED, Path(PathKind.OWN, Role.BAM, None, "direct"), {}, has_clients=True
)


def opening_of(access: Access, relationship: UUID, pk: UUID) -> ViewAs:
    """An opening of the person's own, about a relationship of the business, or 404."""
    mine = ViewAs.objects.filter(
        relationship=relationship, relationship__client=access.acting_for, opened_by=access.person
    )
    return get_object_or_404(
        mine.select_related("relationship__provider", "relationship__client", "person"), pk=pk
    )


def access_of_firm(opening: ViewAs) -> Access:
    """What a manager of the firm, or the person chosen, may do at the instant of the opening.

    By nothing but what the person holds in the firm: no look-up of an officer counts.
    """
    firm, at = opening.relationship.provider, opening.seen_at
    if opening.person is None:
        return Access(User(), firm, at, own=MANAGER)
    pair = opening.person.pk, firm.pk
    return Access(opening.person, firm, at, own=own_roles(pair[:1], pair[1:], at)[pair])
