"""Who may do each act at the desk. An officer never decides on behalf of a business."""

from accounts.models import OfficerRole, User
from accounts.officers import Officer
from delegation.models import AccessRequest, Membership, RecoveryRequest
from officers.models import AccountRecovery

Kind = OfficerRole.Kind


def can_view_desk(officer: Officer) -> bool:
    """Every officer of the agency."""
    return bool(officer.kinds)


def can_list_reports(officer: Officer) -> bool:
    """Every officer of the agency: businesses report to all of them."""
    return can_view_desk(officer)


def can_view_recovery(officer: Officer) -> bool:
    """The officers who are entrusted with recovery."""
    return Kind.RECOVERY in officer.kinds


def can_open_lookup(officer: Officer) -> bool:
    """The officers who are entrusted with look-ups."""
    return Kind.LOOKUPS in officer.kinds


def can_view_registration_reviews(officer: Officer) -> bool:
    """The officers who are entrusted with registration reviews."""
    return Kind.REGISTRATIONS in officer.kinds


def can_propose_recovery(officer: Officer, recovery_request: RecoveryRequest) -> bool:
    """An officer for recovery who has nothing to do with the business."""
    return can_view_recovery(officer) and not is_involved(officer.person, recovery_request)


can_reject_recovery = can_propose_recovery


def can_confirm_recovery(officer: Officer, recovery_request: RecoveryRequest) -> bool:
    """Such an officer, and never the one who proposed."""
    is_second = recovery_request.proposed_by_id != officer.person.pk
    return is_second and can_propose_recovery(officer, recovery_request)


def can_propose_account_recovery(officer: Officer, person: User) -> bool:
    """An officer for recovery, for somebody else who never worked for the same business."""
    return can_view_recovery(officer) and not is_near(officer.person, person)


def can_reject_account_recovery(officer: Officer, account_recovery: AccountRecovery) -> bool:
    """Such an officer, the one who proposed too."""
    return can_propose_account_recovery(officer, account_recovery.person)


def can_confirm_account_recovery(officer: Officer, account_recovery: AccountRecovery) -> bool:
    """Such an officer, and never the one who proposed."""
    is_second = account_recovery.proposed_by_id != officer.person.pk
    return is_second and can_reject_account_recovery(officer, account_recovery)


def is_near(one: User, other: User) -> bool:
    """Whether two people are one, or ever belonged to the same business."""
    theirs = Membership.objects.filter(person=other).values("business")
    return one.pk == other.pk or Membership.objects.filter(person=one, business__in=theirs).exists()


def is_involved(person: User, recovery_request: RecoveryRequest) -> bool:
    """Whether the person ever belonged to the business, asked anything of it, or is proposed."""
    bn9 = recovery_request.bn9
    return (
        recovery_request.proposed_id == person.pk
        or RecoveryRequest.objects.filter(person=person, bn9=bn9).exists()
        or AccessRequest.objects.filter(person=person, bn9=bn9).exists()
        or Membership.objects.filter(person=person, business__bn9=bn9).exists()
    )
