"""The doors of a business account: only those that open for the person."""

from django.urls import reverse
from django.utils.translation import gettext as _

from delegation.access import Access
from delegation.permissions import (
    can_list_access_requests,
    can_list_relationships,
    can_view_activity,
)


def section_nav(access: Access, current: str) -> list[dict[str, object]]:
    """Label, address and whether it is the page shown, of each section; `current` is a URL name."""
    sections = [
        ("business_home", _("Overview"), True),
        ("declaration_list", _("Transactions"), True),
        ("employee_list", _("Employees"), can_list_access_requests(access)),
        ("relationship_list", _("Business relationships"), can_list_relationships(access)),
        ("client_list", _("Clients"), access.serves_clients),
        ("activity_list", _("Activity"), can_view_activity(access).allowed),
    ]
    return [
        {
            "label": label,
            "url": reverse(name, kwargs={"bn9": access.acting_for.bn9}),
            "is_current": name == current,
        }
        for name, label, opens in sections
        if opens
    ]
