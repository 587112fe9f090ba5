from django.apps import AppConfig
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from audit.verbs import register
from notices import digests

SENTENCES = {
    "access_request.create": _("Asked for access: %(object)s"),
    "access_request.approve": _("Approved the access request of %(object)s"),
    "access_request.reject": _("Rejected the access request of %(object)s"),
    "access_request.withdraw": _("Withdrew the access request of %(object)s"),
    "relationship_request.create": _("Requested a business relationship: %(object)s"),
    "relationship_request.approve": _("Approved the relationship with %(object)s"),
    "relationship_request.reject": _("Rejected the relationship with %(object)s"),
    "relationship_request.nudge": _("Reminded of the relationship request of %(object)s"),
    "relationship_request.withdraw": _("Withdrew the relationship request of %(object)s"),
    "relationship_offer.create": _("Offered a business relationship to %(object)s"),
    "relationship_offer.accept": _("Accepted the relationship offered to %(object)s"),
    "relationship_offer.decline": _("Declined the relationship offered to %(object)s"),
    "relationship_offer.withdraw": _("Withdrew the relationship offered to %(object)s"),
    "mute.create": _("Hid the requests of %(object)s"),
    "mute.end": _("Showed the requests of %(object)s again"),
    "request_batch.create": _("Checked a file of relationship requests: %(object)s"),
    "request_batch.send": _("Began to send a file of requests: %(object)s"),
    "relationship.end": _("Ended the relationship with %(object)s, whole or in part"),
    "calendar_feed.create": _("Made a personal link to the calendar"),
    "calendar_feed.end": _("Ended a personal link to the calendar"),
    "relationship.change": _("Changed the terms of the relationship with %(object)s"),
    "relationship.narrow": _("%(object)s gave back a part of the relationship"),
    "relationship.suspend": _("Suspended the relationship with %(object)s"),
    "relationship.resume": _("Resumed the relationship with %(object)s"),
    "relationship.renew": _("Renewed the relationship with %(object)s"),
    "view_as.open": _("Looked at what %(object)s sees"),
    "relationship.leave": _("%(object)s left the relationship"),
    "invitation.create": _("Invited %(object)s"),
    "invitation.resend": _("Sent a new link to the invitation of %(object)s"),
    "invitation.revoke": _("Revoked the invitation of %(object)s"),
    "invitation.accept": _("Accepted the invitation sent to %(object)s"),
    "invitation.decline": _("Declined the invitation sent to %(object)s"),
    "access_review.create": _("Opened an access review of %(object)s"),
    "access_review.answer": _("Answered a part of the access review of %(object)s"),
    "access_review.apply": _("Applied answers of the access review of %(object)s"),
    "access_review.sign": _("Signed the access review of %(object)s"),
    "membership.end": _("Ended the access of %(object)s to the business"),
    "membership.suspend": _("Suspended the access of %(object)s to the business"),
    "membership.resume": _("Resumed the access of %(object)s to the business"),
    "business_role.end": _("Ended a manager role of %(object)s"),
    "role.change": _("Changed a role of %(object)s"),
    "program_role.end": _("Ended a program role of %(object)s"),
    "recovery_request.create": _("Asked the agency for recovery of %(object)s"),
    "recovery_request.withdraw": _("Withdrew the request for recovery of %(object)s"),
    "succession.nominate": _("Named %(object)s as successor"),
    "succession.remove": _("Ended the nomination of %(object)s as successor"),
    "succession.claim": _("%(object)s claimed the succession"),
    "succession.stop": _("Stopped the succession of %(object)s"),
    "succession.take_over": _("%(object)s took over as Business Account Manager"),
    "employee_group.create": _("Created the employee group %(object)s"),
    "employee_group.add": _("Added an employee to the group %(object)s"),
    "employee_group.grant": _("Gave a role to the employee group %(object)s"),
    "employee_group.remove": _("Took an employee out of the group %(object)s"),
    "employee_group.role_end": _("Ended a role of the employee group %(object)s"),
    "employee_group.rename": _("Renamed the employee group %(object)s"),
    "employee_group.archive": _("Archived the employee group %(object)s"),
    "program_group.create": _("Created the program-account group %(object)s"),
    "program_group.add": _("Added a program account to the group %(object)s"),
    "program_group.remove": _("Took a program account out of the group %(object)s"),
    "program_group.rename": _("Renamed the program-account group %(object)s"),
    "program_group.archive": _("Archived the program-account group %(object)s"),
    "client_group.create": _("Created the client group %(object)s"),
    "client_group.add": _("Added a client to the client group %(object)s"),
    "client_group.remove": _("Took a client out of the client group %(object)s"),
    "client_group.rename": _("Renamed the client group %(object)s"),
    "client_group.archive": _("Archived the client group %(object)s"),
    "staff_assignment.change": _("Changed the assignment of %(object)s"),
    "staff_assignment.create": _("Assigned %(object)s to a client"),
    "staff_assignment.end": _("Ended the assignment of %(object)s"),
}
"""What each act is called in history."""

WRITERS = (
    "digests.tell_what_waits",
    "continuity.remind_of_successions",
    "recovery.tell_what_was_asked",
)
"""What writes messages later than their occasion."""


class DelegationConfig(AppConfig):
    name = "delegation"

    def ready(self) -> None:
        # What the service needs is loaded by now, and not before.
        for writer in WRITERS:
            digests.register(import_string(f"delegation.services.{writer}"))
        register(SENTENCES)
