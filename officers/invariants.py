"""What holds of the recovery of user accounts; `manage.py check_invariants` asks it too."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import CharField, Exists, F, OuterRef, Q, Value
from django.db.models.functions import Cast, Concat

from audit.models import Event
from delegation.invariants import Check, Finding, look, together, was_officer
from delegation.models import Decision, Membership
from officers.models import AccountRecovery


def account_recoveries_come_from_two_officers(at: datetime) -> Finding:
    """An account is recovered by two officers, strangers to the person, after the wait (14)."""
    rows = AccountRecovery.objects.all()
    wait = timedelta(hours=settings.ACCOUNT_RECOVERY_WAITING_HOURS)
    others = ~Q(proposed_by=F("decided_by")) & _was_stranger("proposed_by", "decided_at")
    return together(
        look(
            rows,
            was_officer("proposed_by", "starts_at") & _was_stranger("proposed_by", "starts_at"),
        ),
        look(
            rows.exclude(decision=""),
            was_officer("decided_by", "decided_at") & _was_stranger("decided_by", "decided_at"),
        ),
        look(
            rows.filter(decision=Decision.APPROVED),
            others
            & was_officer("proposed_by", "decided_at")
            & Q(decided_at__gte=F("starts_at") + wait),
        ),
    )


def account_recoveries_have_their_events(at: datetime) -> Finding:
    """Every proposal and decision about an account stands in the history of its person (12)."""
    rows = AccountRecovery.objects.all()
    return together(
        look(rows, _told("propose", "proposed_by", "starts_at")),
        look(rows.filter(decision=Decision.APPROVED), _told("confirm", "decided_by", "decided_at")),
        look(rows.filter(decision=Decision.REJECTED), _told("reject", "decided_by", "decided_at")),
    )


CHECKS: tuple[Check, ...] = (
    account_recoveries_come_from_two_officers,
    account_recoveries_have_their_events,
)


def _was_stranger(officer: str, when: str) -> Q:
    """The officer in a column was not the person, and had belonged to no business of theirs."""
    until = {"starts_at__lte": OuterRef(when)}
    theirs = Membership.objects.filter(person=OuterRef(OuterRef("person")))
    theirs = theirs.filter(starts_at__lte=OuterRef(OuterRef(when)))
    shared = Membership.objects.filter(
        person=OuterRef(officer), business__in=theirs.values("business"), **until
    )
    return ~Q(**{officer: F("person")}) & ~Q(Exists(shared))


def _told(step: str, actor: str, when: str) -> Q:
    """The person's history has this step, at its instant and of whom the row names."""
    events = Event.objects.filter(
        chain_id=Concat(Value("person:"), Cast(OuterRef("person_id"), CharField())),
        verb=f"account_recovery.{step}",
        at=OuterRef(when),
        actor_id=Cast(OuterRef(f"{actor}_id"), CharField()),
    )
    return Q(Exists(events))
