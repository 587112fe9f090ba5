"""Who may do what: the records behind every access decision."""

from delegation.models.batches import RequestBatch, RequestBatchRow
from delegation.models.clients import ClientGroup, ClientGroupMember, StaffAssignment
from delegation.models.continuity import Succession, SuccessionStatus
from delegation.models.employees import (
    AccessRequest,
    AccessRequestLine,
    EmployeeGroup,
    EmployeeGroupMember,
    Membership,
)
from delegation.models.feeds import CalendarFeed
from delegation.models.grants import (
    BusinessRole,
    Grant,
    GroupProgramGroupRole,
    GroupProgramRole,
    ProgramRole,
    RoleWritesElsewhere,
)
from delegation.models.invitations import (
    Invitation,
    InvitationLine,
    InvitationMail,
    InvitationStatus,
)
from delegation.models.limits import RequestTally
from delegation.models.lookups import Lookup
from delegation.models.mutes import Mute
from delegation.models.offers import RelationshipOffer
from delegation.models.recovery import RecoveryRequest
from delegation.models.relationships import (
    Ceiling,
    Level,
    Relationship,
    RelationshipRequest,
    RelationshipRequestLine,
    RelationshipTerms,
    Visibility,
)
from delegation.models.reminders import Reminder, ReminderDay
from delegation.models.requests import Decision, Status
from delegation.models.reviews import (
    AccessReview,
    AccessReviewLine,
    ReviewAnswer,
    ReviewResult,
)
from delegation.models.view_as import ViewAs

__all__ = [
    "AccessRequest",
    "AccessRequestLine",
    "AccessReview",
    "AccessReviewLine",
    "BusinessRole",
    "CalendarFeed",
    "Ceiling",
    "ClientGroup",
    "ClientGroupMember",
    "Decision",
    "EmployeeGroup",
    "EmployeeGroupMember",
    "Grant",
    "GroupProgramGroupRole",
    "GroupProgramRole",
    "Invitation",
    "InvitationLine",
    "InvitationMail",
    "InvitationStatus",
    "Level",
    "Lookup",
    "Membership",
    "Mute",
    "ProgramRole",
    "RecoveryRequest",
    "Relationship",
    "RelationshipOffer",
    "RelationshipRequest",
    "RelationshipRequestLine",
    "RelationshipTerms",
    "RequestBatch",
    "RequestBatchRow",
    "RequestTally",
    "Reminder",
    "ReminderDay",
    "ReviewAnswer",
    "ReviewResult",
    "RoleWritesElsewhere",
    "StaffAssignment",
    "Status",
    "Succession",
    "SuccessionStatus",
    "ViewAs",
    "Visibility",
]
