"""Who may do each act of delegation: `access.py` is asked for a page and again under lock."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from accounts.models import User
from accounts.sign_in import verified_addresses
from businesses.models import BusinessAccount, ProgramAccount
from delegation.access import Access, Decision
from delegation.models import (
    AccessRequest,
    AccessRequestLine,
    CalendarFeed,
    Ceiling,
    Invitation,
    Level,
    Membership,
    RecoveryRequest,
    RelationshipOffer,
    RelationshipRequest,
    RelationshipRequestLine,
    RelationshipTerms,
    Succession,
)
from delegation.models.periods import during, not_suspended
from delegation.reasons import Reason
from delegation.roles import Action, Role, grantable_by

UNANSWERED = timedelta(days=14)
"""How long an access request must have waited before its asker may ask for recovery."""

STILL_TAKEN = frozenset({Reason.ALLOWED, Reason.PROGRAM_CLOSED, Reason.BUSINESS_NOT_ACTIVE})
"""Whoever gives while all is open and active takes away in all of these (decision 13)."""


def can_view_business(access: Access) -> bool:
    """Whoever belongs to the business."""
    return access.own.membership is Reason.ALLOWED


def can_view_access_request(person: User, access_request: AccessRequest) -> bool:
    """The person who asked; for everybody else the request does not exist here."""
    return access_request.person_id == person.pk


def can_withdraw_access_request(person: User, access_request: AccessRequest) -> bool:
    """The person who asked takes the request back."""
    return access_request.person_id == person.pk


def can_list_access_requests(access: Access) -> bool:
    """A BAM sees every request to the business; a PAM sees those that name its programs."""
    return access.is_bam or bool(access.overseen(Action.MANAGE_EMPLOYEES))


def can_approve_access_request(
    access: Access, access_request: AccessRequest
) -> list[AccessRequestLine]:
    """A BAM decides every line of a request, a PAM those of its programs, nobody one's own request.

    Gives the undecided lines that the person may decide.
    """
    if access_request.person_id == access.person.pk or access_request.bn9 != access.acting_for.bn9:
        return []
    return _decidable(access, list(access_request.lines.all()), Action.MANAGE_EMPLOYEES)


can_reject_access_request = can_approve_access_request


def can_grant_role(access: Access, scope: BusinessAccount | ProgramAccount, role: Role) -> bool:
    """Nobody grants above the own right on a scope; BAM is granted on the business alone."""
    if isinstance(scope, BusinessAccount):
        return role is Role.BAM and access.decide(Action.MANAGE_EMPLOYEES, scope).allowed
    if role is Role.BAM or not access.decide(Action.MANAGE_EMPLOYEES, scope).allowed:
        return False
    return role in grantable_by(access.role_on(scope))


def can_end_role(
    access: Access, person: User, scope: BusinessAccount | ProgramAccount, role: Role
) -> bool:
    """Who may grant a role to a person may take it; everybody gives up the own.

    On a program account that is closed, and in a business that is not active, nothing is granted
    any more, but still taken.
    """
    return person == access.person or _can_take(access, scope, role)


def _can_take(access: Access, scope: BusinessAccount | ProgramAccount, role: Role) -> bool:
    if access.decide(Action.MANAGE_EMPLOYEES, scope).reason not in STILL_TAKEN:
        return False
    if isinstance(scope, BusinessAccount):
        return role is Role.BAM and access.is_bam
    return role is not Role.BAM and role in grantable_by(access.role_on(scope))


def can_list_invitations(access: Access) -> bool:
    """A BAM sees every invitation of the business; a PAM those to its programs alone."""
    return access.is_bam or bool(access.overseen(Action.MANAGE_EMPLOYEES))


def can_create_invitation(access: Access) -> Decision:
    """A BAM invites with any role, a PAM Editors and Readers of its open programs."""
    return _anywhere(access, Action.MANAGE_EMPLOYEES)


def can_resend_invitation(access: Access, invitation: Invitation) -> bool:
    """Whoever may grant all that the invitation gives; into a group, a BAM."""
    is_granted = all(can_grant_role(access, scope, role) for scope, role in invitation.grants())
    return is_granted and (not invitation.groups.all() or can_manage_groups(access).allowed)


def can_revoke_invitation(access: Access, invitation: Invitation) -> bool:
    """Whoever may take all that the invitation gives, also in a business that is not active."""
    is_taken = all(_can_take(access, scope, role) for scope, role in invitation.grants())
    return is_taken and (not invitation.groups.all() or can_reduce_groups(access).allowed)


def can_answer_invitation(person: User, invitation: Invitation) -> bool:
    """Whoever proved to own the address that was invited; for everybody else there is none."""
    return invitation.email in verified_addresses(person)


def can_change_role(access: Access, person: User) -> bool:
    """A BAM changes the roles of others, a PAM those on its program accounts, nobody the own."""
    if person == access.person:
        return False
    is_manager = access.decide(Action.MANAGE_EMPLOYEES, access.acting_for).allowed
    return is_manager or bool(access.programs(Action.MANAGE_EMPLOYEES))


def can_list_access_reviews(access: Access) -> bool:
    """A BAM reads the access reviews of the business."""
    return access.is_bam


def can_review_access(access: Access) -> Decision:
    """A BAM of a business that is active reviews what everybody holds, and signs it."""
    return access.decide(Action.MANAGE_EMPLOYEES, access.acting_for)


def can_view_employee(access: Access, person: User) -> bool:
    """A BAM sees everybody of the business, a PAM the people of its programs, everybody oneself."""
    return person == access.person or can_list_access_requests(access)


def can_end_membership(access: Access, person: User) -> bool:
    """A BAM ends all access of anybody; everybody leaves."""
    return person == access.person or can_suspend_membership(access, person)


def can_suspend_membership(access: Access, person: User) -> bool:
    """A BAM suspends the access of others."""
    return _taking(access, Action.MANAGE_EMPLOYEES).allowed and person != access.person


def can_view_departure(access: Access) -> bool:
    """A BAM reads what somebody held who left."""
    return access.is_bam


def can_resume_membership(access: Access, person: User) -> bool:
    """A BAM of a business that is active resumes the access of others."""
    is_manager = access.decide(Action.MANAGE_EMPLOYEES, access.acting_for).allowed
    return is_manager and person != access.person


def can_view_program(access: Access, program: ProgramAccount) -> Decision:
    """Whoever has a role on the program account of the business."""
    return access.decide(Action.VIEW_TRANSACTIONS, program)


def can_mute(access: Access) -> Decision:
    """A BAM hides what an unknown firm or person asks, and shows it again."""
    return access.decide(Action.MANAGE_RELATIONSHIPS, access.acting_for)


def can_list_relationships(access: Access) -> bool:
    """A BAM sees every relationship of the business; a PAM those that touch its programs."""
    return access.is_bam or bool(access.overseen(Action.MANAGE_RELATIONSHIPS))


def can_view_relationship_authority(access: Access) -> bool:
    """A BAM reads the written authority whole; a part of it would pass for the whole."""
    return access.is_bam


def can_view_as(access: Access) -> bool:
    """A BAM of the client looks at what a firm sees of it."""
    return access.is_bam


def can_view_calendar(access: Access) -> bool:
    """Whoever reads the relationships of the business, and the people of a service provider."""
    return can_list_relationships(access) or access.serves_clients


def can_read_calendar_feed(feed: CalendarFeed, at: datetime) -> bool:
    """Whoever has the secret address, while its maker still belongs to the business.

    Who left and joined again makes a new one; so does whom the calendar opens to no more.
    """
    access = Access(feed.person, feed.business, at)
    lasted = Membership.objects.filter(
        during(at), person=feed.person, business=feed.business, starts_at__lte=feed.starts_at
    )
    stays = feed.active_at(at) and feed.person.is_active
    stays = stays and access.own.membership is Reason.ALLOWED and lasted.exists()
    return stays and can_view_calendar(access)


def can_approve_relationship_request(
    access: Access, relationship_request: RelationshipRequest
) -> list[RelationshipRequestLine]:
    """A BAM of the client decides every line of a request, a PAM those of its programs.

    Gives the undecided lines that the person may decide. A person of both firms does not decide
    what that person asked for.
    """
    asked_by_the_person = relationship_request.requested_by_id == access.person.pk
    if asked_by_the_person or relationship_request.client_bn9 != access.acting_for.bn9:
        return []
    return _decidable(access, list(relationship_request.lines.all()), Action.MANAGE_RELATIONSHIPS)


can_reject_relationship_request = can_approve_relationship_request


def can_create_relationship_offer(access: Access) -> Decision:
    """A BAM offers a firm a relationship; a PAM one on its open programs, up to Editor."""
    return _anywhere(access, Action.MANAGE_RELATIONSHIPS)


def can_withdraw_relationship_offer(access: Access, relationship_offer: RelationshipOffer) -> bool:
    """A BAM of the client; a PAM where all that is offered is on its programs."""
    if access.is_bam or relationship_offer.level == Level.BUSINESS:
        return access.is_bam
    programs = {program.pk for program in access.overseen(Action.MANAGE_RELATIONSHIPS)}
    return programs >= {program.pk for program in relationship_offer.programs.all()}


def can_end_relationship(
    access: Access, terms: Iterable[RelationshipTerms]
) -> list[RelationshipTerms]:
    """A BAM of the client ends a relationship; a PAM ends its program-level terms on its programs.

    Gives those of the terms, all of them the client's, that the person may end: also on a program
    account that is closed and in a business that is not active.
    """
    if access.is_bam:
        return list(terms)
    programs = {program.pk for program in access.overseen(Action.MANAGE_RELATIONSHIPS)}
    return [row for row in terms if row.level == Level.PROGRAM and row.program_id in programs]


def can_renew_relationship(
    access: Access, terms: Iterable[RelationshipTerms]
) -> list[RelationshipTerms]:
    """A BAM of the client renews; a PAM renews program-level terms of its programs, up to Editor.

    Gives those of the terms, all of them the client's, that the person may renew: on program
    accounts that are open, in a business that is active. What is over a BAM alone begins again.
    """
    closed = access.closed_programs(access.acting_for.pk)
    open_terms = [row for row in terms if row.program_id not in closed]
    if access.decide(Action.MANAGE_RELATIONSHIPS, access.acting_for).allowed:
        return open_terms
    programs = {program.pk for program in access.programs(Action.MANAGE_RELATIONSHIPS)}
    return [
        row
        for row in open_terms
        if row.level == Level.PROGRAM
        and row.program_id in programs
        and row.ceiling in grantable_ceilings(access)
        and row.relationship.active_at(access.at)
    ]


def can_change_relationship(
    access: Access, terms: Iterable[RelationshipTerms]
) -> list[RelationshipTerms]:
    """A BAM of the client changes what was agreed; a PAM program-level terms of its programs.

    Gives those of the terms, all of them the client's, that the person may change.
    """
    if access.decide(Action.MANAGE_RELATIONSHIPS, access.acting_for).allowed:
        return list(terms)
    programs = {program.pk for program in access.programs(Action.MANAGE_RELATIONSHIPS)}
    return [row for row in terms if row.level == Level.PROGRAM and row.program_id in programs]


def can_suspend_relationship(access: Access) -> Decision:
    """A BAM of the client suspends a relationship, in a business that is not active too."""
    return _taking(access, Action.MANAGE_RELATIONSHIPS)


def can_resume_relationship(access: Access) -> Decision:
    """A BAM of the client, where it is active, resumes a relationship."""
    return access.decide(Action.MANAGE_RELATIONSHIPS, access.acting_for)


def can_leave_relationship(access: Access) -> Decision:
    """The BAM of a service provider leaves a client."""
    return _taking(access, Action.MANAGE_CLIENTS)


def grantable_ceilings(access: Access) -> list[Ceiling]:
    """The ceilings that the person may agree to: a PAM gives providers at most Editor."""
    return list(Ceiling) if access.is_bam else [Ceiling.EDITOR, Ceiling.READER]


def can_list_clients(access: Access) -> bool:
    """The people of a service provider see the clients they are assigned to, its BAM all of them.

    Which ones they are is answered by `Access.clients`; an importer has no such page.
    """
    return access.own.membership is Reason.ALLOWED


def can_list_relationship_requests(access: Access) -> Decision:
    """The BAM of a business that serves clients reads what it asked of them."""
    decision = access.decide(Action.MANAGE_CLIENTS, access.acting_for)
    return Decision(Reason.ALLOWED) if access.is_bam else decision


def can_request_relationship(access: Access) -> Decision:
    """The BAM of a service provider asks for clients."""
    if access.is_bam and access.serves_clients and not access.is_provider:
        return Decision(Reason.NOT_A_PROVIDER)
    return access.decide(Action.MANAGE_CLIENTS, access.acting_for)


def can_list_received_offers(access: Access) -> Decision:
    """The BAM of a business that serves clients reads what they offered it."""
    return can_list_relationship_requests(access)


def can_decline_relationship_offer(access: Access, relationship_offer: RelationshipOffer) -> bool:
    """A BAM of the firm to which it was offered, though it is no service provider any more.

    A person of both firms does not answer an offer of one’s own.
    """
    is_ours = relationship_offer.provider_bn9 == access.acting_for.bn9
    answers = access.decide(Action.MANAGE_CLIENTS, access.acting_for).allowed
    return is_ours and answers and relationship_offer.offered_by_id != access.person.pk


def can_accept_relationship_offer(access: Access, relationship_offer: RelationshipOffer) -> bool:
    """A BAM of the service provider to which it was offered, and never who made the offer."""
    is_answered = can_decline_relationship_offer(access, relationship_offer)
    return is_answered and access.is_provider


def can_nudge_relationship_request(access: Access) -> Decision:
    """The BAM of a service provider reminds a client of a request that waits."""
    return can_request_relationship(access)


def can_withdraw_relationship_request(access: Access) -> Decision:
    """The BAM of the firm that asked takes it back, though it is no service provider any more."""
    return access.decide(Action.MANAGE_CLIENTS, access.acting_for)


def can_assign_staff(access: Access) -> Decision:
    """The BAM of a service provider says who works for which client."""
    return access.decide(Action.MANAGE_CLIENTS, access.acting_for)


def can_end_staff_assignment(access: Access) -> Decision:
    """The BAM of a service provider ends the work of its people for a client."""
    return _taking(access, Action.MANAGE_CLIENTS)


def can_manage_groups(access: Access) -> Decision:
    """A BAM makes employee groups and program-account groups."""
    return access.decide(Action.MANAGE_EMPLOYEES, access.acting_for)


def can_list_groups(access: Access) -> bool:
    """A BAM reads the employee groups and the program-account groups of the business."""
    return access.is_bam


def can_reduce_groups(access: Access) -> Decision:
    """A BAM takes out of groups, ends their roles and archives them."""
    return _taking(access, Action.MANAGE_EMPLOYEES)


def can_remove_employee_from_group(access: Access, person: User) -> bool:
    """A BAM takes anybody out of an employee group; everybody leaves."""
    return person == access.person or can_reduce_groups(access).allowed


def can_view_continuity(access: Access) -> bool:
    """Whoever belongs to the business reads who manages it and what to do when nobody can."""
    return access.own.membership is Reason.ALLOWED


def can_view_succession(access: Access, succession: Succession) -> bool:
    """The BAMs, and the successor."""
    return access.is_bam or succession.person_id == access.person.pk


def can_nominate_successor(access: Access) -> Decision:
    """A BAM of a business that is active names an employee as successor."""
    return access.decide(Action.MANAGE_EMPLOYEES, access.acting_for)


def can_remove_successor(access: Access, succession: Succession) -> bool:
    """A BAM takes the nomination back, and the successor gives it up."""
    return succession.person_id == access.person.pk or can_stop_succession(access).allowed


def can_claim_succession(access: Access, succession: Succession) -> bool:
    """The successor alone, while an employee of a business that is active."""
    is_successor = succession.person_id == access.person.pk
    return is_successor and access.acting_for.status == BusinessAccount.Status.ACTIVE


can_take_over_succession = can_claim_succession


def can_stop_succession(access: Access) -> Decision:
    """Any BAM of the business."""
    return _taking(access, Action.MANAGE_EMPLOYEES)


def can_create_recovery_request(person: User, bn9: str, at: datetime) -> bool:
    """An employee whose access works, or somebody whose access request waits for 14 days.

    The second answer is the same whether or not the number is registered.
    """
    members = Membership.objects.filter(
        during(at), not_suspended(at), person=person, business__bn9=bn9
    )
    waiting = AccessRequest.objects.pending_at(at).filter(person=person, bn9=bn9)
    return members.exists() or waiting.filter(starts_at__lte=at - UNANSWERED).exists()


def is_still_concerned(recovery_request: RecoveryRequest, at: datetime) -> bool:
    """Whether what allowed somebody to ask for recovery holds until it is decided.

    The person works there, or asked for access and was never answered: that nobody answered in time
    is no answer.
    """
    person, bn9 = recovery_request.person, recovery_request.bn9
    asked_at = recovery_request.starts_at
    members = Membership.objects.filter(
        during(at), not_suspended(at), person=person, business__bn9=bn9
    )
    unanswered = AccessRequest.objects.filter(
        person=person, bn9=bn9, decision="", starts_at__lte=asked_at - UNANSWERED
    )
    return members.exists() or unanswered.filter(closes_at__gt=asked_at).exists()


def can_view_recovery_request(person: User, recovery_request: RecoveryRequest) -> bool:
    """The person who asked; for everybody else the request does not exist here."""
    return recovery_request.person_id == person.pk


can_withdraw_recovery_request = can_view_recovery_request


def can_view_activity(access: Access) -> Decision:
    """A BAM reads the history of the business."""
    return access.decide(Action.VIEW_ACTIVITY, access.acting_for)


def why_undecidable(
    access: Access, waiting: AccessRequest | RelationshipRequest, action: Action
) -> str:
    """Why nothing that waits in a request is the person's to decide, in words."""
    if access.acting_for.status != BusinessAccount.Status.ACTIVE:
        return str(Reason.BUSINESS_NOT_ACTIVE.label)
    undecided = {line.extension for line in waiting.lines.all() if not line.decision}
    closed = access.closed_programs(access.acting_for.pk)
    if any(one.extension in undecided and one.pk in closed for one in access.overseen(action)):
        return str(Reason.PROGRAM_CLOSED.label)
    return _("Nothing in this request is yours to decide.")


def _anywhere(access: Access, action: Action) -> Decision:
    """A BAM does it, and a PAM where a program account allows it, else for the reason of those."""
    decision = access.decide(action, access.acting_for)
    if decision.allowed or access.programs(action):
        return Decision(Reason.ALLOWED)
    reasons = [access.decide(action, program) for program in access.overseen(action)]
    return reasons[0] if reasons else decision


def _taking(access: Access, action: Action) -> Decision:
    """What a BAM takes away is taken in a business that is not active too."""
    decision = access.decide(action, access.acting_for)
    is_taken = access.is_bam and decision.reason in STILL_TAKEN
    return Decision(Reason.ALLOWED) if is_taken else decision


def _decidable[Line: (AccessRequestLine, RelationshipRequestLine)](
    access: Access, lines: list[Line], action: Action
) -> list[Line]:
    if access.decide(action, access.acting_for).allowed:
        return [line for line in lines if not line.decision]
    extensions = {program.extension for program in access.programs(action)}
    return [line for line in lines if not line.decision and line.extension in extensions]
