"""What was posted and refused at the door of a page: one event in the history of the business.

A service records what it refuses itself. Whoever may not do what a page does never reaches it, and
is refused where the page is: there the event is written, outside the transaction of the page.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from audit.services import business_chain, refuse
from delegation.access import Access
from delegation.entry import Denied
from delegation.models import Membership
from delegation.services.limits import count

ACTS = {
    "access_requests_approve": "access_request.approve",
    "access_requests_reject": "access_request.reject",
    "calendar_feed": "calendar_feed.create",
    "client_correction_create": "declaration.correct",
    "client_group_assign": "staff_assignment.create",
    "client_mute": "mute.create",
    "correction_create": "declaration.correct",
    "employee_group_role_end": "employee_group.role_end",
    "employee_group_wide_role_end": "employee_group.role_end",
    "firm_mute": "mute.create",
    "person_mute": "mute.create",
    "relationship_renew_several": "relationship.renew",
    "staff_assignment_bulk": "staff_assignment.create",
    "succession_take_over": "succession.take_over",
    "successor_nominate": "succession.nominate",
    "successor_remove": "succession.remove",
    "view_as_create": "view_as.open",
}
"""What the history calls the act of a page whose name does not say it."""


def act_of(route: str) -> str:
    """The verb of what is posted to a page: its name, with a dot before the last word."""
    return ACTS.get(route) or ".".join(route.rsplit("_", 1))


@transaction.atomic
def record_denied(request: HttpRequest, denied: Denied) -> None:
    """Record that a person of the business was refused what was posted.

    Of one person in one business history keeps so many a day; the tally counts the rest.
    """
    access: Access | None = getattr(request, "access", None)
    if request.method != "POST" or access is None or request.resolver_match is None:
        return
    asker = f"refused:{access.person.pk}:{access.acting_for.bn9}"
    most = settings.REFUSED_POSTS_A_DAY
    if not count(asker=asker, wanted=1, most=most, at=access.at).allowed:
        return
    route = str(request.resolver_match.url_name)
    refuse(
        code=denied.decision.reason.value,
        message=denied.decision.reason.label,
        verb=act_of(route),
        at=access.at,
        actor=access.person,
        acting_for=access.acting_for.bn9,
        chains=[business_chain(access.acting_for.bn9)],
        object_type="page",
        object_id=route,
        object_label=_name(access, request.resolver_match.kwargs),
        after={"address": request.path},
    )


def _name(access: Access, named: Mapping[str, Any]) -> str:
    """What the address names, where people know it by a name: a declaration, or a colleague."""
    if "pk" not in named:
        return str(named.get("number", ""))
    theirs = Membership.objects.filter(business=access.acting_for, pk=named["pk"])
    membership = theirs.select_related("person").first()
    return membership.person.get_full_name() if membership else ""
