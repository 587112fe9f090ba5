"""The doors of a business account, and the parts behind them: only those that open for the person.

A section has one line in `section_nav`; where it has several parts, each has one line in a list of
its own. `current` is the URL name of the page shown.
"""

from collections.abc import Iterable

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from delegation.access import Access
from delegation.permissions import (
    can_end_staff_assignment,
    can_list_access_requests,
    can_list_access_reviews,
    can_list_clients,
    can_list_groups,
    can_list_invitations,
    can_list_received_offers,
    can_list_relationship_requests,
    can_list_relationships,
    can_mute,
    can_request_relationship,
    can_view_activity,
)


def section_nav(access: Access, current: str) -> list[dict[str, object]]:
    """The sections of a business account."""
    sections = [
        ("business_home", _("Overview"), True),
        ("declaration_list", _("Transactions"), True),
        ("employee_list", _("Employees"), can_list_access_requests(access)),
        ("relationship_list", _("Business relationships"), can_list_relationships(access)),
        ("client_list", _("Clients"), access.serves_clients),
        ("activity_list", _("Activity"), can_view_activity(access).allowed),
    ]
    return _nav(access, current, sections)


def employee_nav(access: Access, current: str) -> list[dict[str, object]]:
    """The parts of Manage My Employees."""
    manages = can_list_access_requests(access)
    parts = [
        ("employee_list", _("Employees"), manages),
        ("employee_grid", _("Roles by program account"), manages),
        ("access_request_list", _("Access requests"), manages),
        ("mute_list", _("Muted"), can_mute(access).allowed),
        ("invitation_list", _("Invitations"), can_list_invitations(access)),
        ("employee_group_list", _("Employee groups"), can_list_groups(access)),
        ("program_group_list", _("Program-account groups"), can_list_groups(access)),
        ("access_review_list", _("Access reviews"), can_list_access_reviews(access)),
    ]
    return _nav(access, current, parts)


def relationship_nav(access: Access, current: str) -> list[dict[str, object]]:
    """The parts of Manage My Business Relationships."""
    manages = can_list_relationships(access)
    parts = [
        ("relationship_list", _("Waiting and active"), manages),
        ("relationship_ending_list", _("Ending soon"), manages),
        ("relationship_calendar", _("Calendar"), manages),
        ("relationship_ended_list", pgettext("relationships", "Ended"), manages),
        ("received_request_list", _("Received Requests"), manages),
        ("relationship_offer_list", _("Sent requests"), manages),
        ("mute_list", _("Muted"), can_mute(access).allowed),
    ]
    return _nav(access, current, parts)


def client_nav(access: Access, current: str) -> list[dict[str, object]]:
    """The parts of the work for clients."""
    reads_requests = can_list_relationship_requests(access).allowed
    assigns = can_end_staff_assignment(access).allowed
    parts = [
        ("client_list", _("Clients"), can_list_clients(access)),
        ("relationship_request_list", _("Sent requests"), reads_requests),
        (
            "relationship_offer_received_list",
            _("Received offers"),
            can_list_received_offers(access).allowed,
        ),
        ("client_calendar", _("Calendar"), access.serves_clients),
        ("request_batch_create", _("Requests by file"), can_request_relationship(access).allowed),
        ("client_group_list", _("Client groups"), assigns),
        ("staff_list", _("Assignments"), assigns),
    ]
    return _nav(access, current, parts)


def _nav(
    access: Access, current: str, doors: Iterable[tuple[str, str, bool]]
) -> list[dict[str, object]]:
    """Label, address and whether it is the page shown, of each door that opens."""
    return [
        {
            "label": label,
            "url": reverse(name, kwargs={"bn9": access.acting_for.bn9}),
            "is_current": name == current,
        }
        for name, label, opens in doors
        if opens
    ]
