"""Why a decision fell: one word for the code, one sentence for the person."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Reason(models.TextChoices):
    """Why a decision fell. The words are what the person may learn."""

    ALLOWED = "allowed", _("You have access.")
    PERSON_DISABLED = "person_disabled", _("Your user account is disabled.")
    NO_MEMBERSHIP = "no_membership", _("You do not belong to this business.")
    MEMBERSHIP_SUSPENDED = (
        "membership_suspended",
        _("Your access to this business is suspended."),
    )
    BUSINESS_NOT_ACTIVE = (
        "business_not_active",
        _("This business account is not active: you can look, but not change anything."),
    )
    PROGRAM_CLOSED = (
        "program_closed",
        _("This program account is closed: you can look, but not change anything."),
    )
    NO_ROLE = "no_role", _("You have no role on this program account.")
    ROLE_TOO_LOW = "role_too_low", _("Your role does not include this.")
    NO_RELATIONSHIP = (
        "no_relationship",
        _("Your firm has no business relationship with this client."),
    )
    NOT_ASSIGNED = "not_assigned", _("Your firm has not assigned you to this client.")
    NOT_IN_SCOPE = (
        "not_in_scope",
        _("The business relationship does not include this program account."),
    )
    RELATIONSHIP_OVER = (
        "relationship_over",
        _(
            "The business relationship is over. You can still read what your firm submitted while "
            "it lasted."
        ),
    )
    RELATIONSHIP_SUSPENDED = (
        "relationship_suspended",
        _("The business relationship is suspended."),
    )
    NOT_A_PROVIDER = (
        "not_a_provider",
        _(
            "Your firm is no longer a service provider. You can still read what it submitted while "
            "its business relationships lasted."
        ),
    )
    HIDDEN = "hidden", _("The visibility rules of the client do not show this record to your firm.")
    VIEW_ONLY = (
        "view_only",
        _("The visibility rules of the client let your firm view this record, not change it."),
    )
    CEILING = "ceiling", _("The client did not give your firm this right.")
    ASSIGNMENT_TOO_LOW = (
        "assignment_too_low",
        _("Your firm assigned you to this client with a role that does not include this."),
    )
    PROVIDER_TYPE = (
        "provider_type",
        _("Only the importer or a licensed customs broker can submit or correct declarations."),
    )
