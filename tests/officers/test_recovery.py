"""Recovery: only where nobody is left, by two officers who have nothing to do with the business."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.models import OfficerRole, User
from accounts.services import end_officer_role, grant_officer_role
from audit.models import Event
from audit.services import Refusal, business_chain
from businesses.bn import show_bn9
from businesses.models import BusinessAccount
from delegation.invariants import CHECKS
from delegation.models import BusinessRole, Grant, Membership, RecoveryRequest
from delegation.services.recovery import (
    create_recovery_request,
    tell_what_was_asked,
    withdraw_recovery_request,
)
from delegation.services.roles import Term, grant_business_role
from notices.models import Notice
from officers.services.recovery import confirm_recovery, propose_recovery, reject_recovery
from tests.officers.people import headless, officer, recovery_asked
from tests.world import World, done, next_bn9

pytestmark = pytest.mark.django_db


@pytest.fixture
def birch(world: World) -> BusinessAccount:
    """A business that nobody manages any more."""
    return headless(world, "Birch")


def code(outcome: Any) -> str:
    return outcome.code if isinstance(outcome, Refusal) else "done"


def propose(world: World, actor: User, row: RecoveryRequest, person: User, version: int = 1) -> Any:
    return propose_recovery(
        actor=actor,
        recovery_request=row,
        person=person,
        finding="Death certificate seen.",
        expected_version=version,
        at=world.at,
    )


def confirm(world: World, actor: User, row: RecoveryRequest, version: int = 2) -> Any:
    return confirm_recovery(
        actor=actor, recovery_request=row, expected_version=version, at=world.at
    )


def withdrawn(world: World, row: RecoveryRequest) -> None:
    done(withdraw_recovery_request(actor=row.person, recovery_request=row, at=world.at))


def rejected(world: World, row: RecoveryRequest) -> None:
    about = {"reason": "Not shown.", "expected_version": 1, "at": world.at}
    done(reject_recovery(actor=world.person("Olga"), recovery_request=row, **about))


def breaches(world: World) -> list[str]:
    return [line for check in CHECKS for line in check(world.at)[1]]


def test_two_officers_recover_a_business(world: World, birch: BusinessAccount) -> None:
    BusinessAccount.objects.filter(pk=birch.pk).update(email="office@birch.test")
    eve, first, second = world.person("Birch Eve"), officer(world, "Olga"), officer(world, "Omar")
    assert breaches(world)
    row = recovery_asked(world, birch)
    assert tell_what_was_asked(at=world.at) == 1
    assert not breaches(world)  # somebody asked: what is missing is known
    assert code(confirm(world, second, row, 1)) == "not_proposed"
    done(propose(world, first, row, eve))
    assert code(confirm(world, first, row)) == "same_officer"
    assert not world.access(eve, birch).is_bam

    done(confirm(world, second, row))

    assert world.access(eve, birch).is_bam
    role = BusinessRole.objects.get(user=eve)
    assert (role.source, role.granted_by, role.ends_at) == (Grant.Source.RECOVERY, second, None)
    assert not breaches(world)
    steps = ["create", "propose", "confirm"]
    verbs = [f"recovery_request.{step}" for step in steps]
    told = Event.objects.filter(chain=business_chain(birch.bn9), verb__in=verbs).order_by("seq")
    assert [event.verb for event in told] == verbs
    assert [event.path for event in told] == ["", "officer", "officer"]
    for step, reads in (("asked", {eve.email}), ("proposed", set()), ("confirmed", {eve.email})):
        mails = Notice.objects.filter(key__startswith=f"recovery_{step}:")
        assert {mail.address for mail in mails} >= {"office@birch.test", *reads}
        assert eve.email in reads or not mails.filter(recipient=eve).exists()


def test_nobody_decides_who_has_to_do_with_the_business(
    world: World, birch: BusinessAccount
) -> None:
    row, eve = recovery_asked(world, birch), world.person("Birch Eve")
    proposed, second = officer(world, "Birch Eve"), officer(world, "Omar")
    former = officer(world, "Fay")
    ends = {"starts_at": world.at - timedelta(days=9), "ends_at": world.at - timedelta(days=1)}
    Membership.objects.create(person=former, business=birch, **ends)
    lookups = officer(world, "Lou", OfficerRole.Kind.LOOKUPS)
    for actor, why in ((proposed, "involved"), (former, "involved"), (lookups, "not_allowed")):
        assert code(propose(world, actor, row, eve)) == why
        assert code(confirm(world, actor, row)) == why
    assert code(propose(world, world.person("Zoe"), row, eve)) == "not_allowed"
    done(propose(world, officer(world, "Olga"), row, eve))
    done(
        end_officer_role(
            person=second, kind=OfficerRole.Kind.RECOVERY, given_by="Root", at=world.at
        )
    )
    assert code(confirm(world, second, row)) == "not_allowed"
    assert not world.access(eve, birch).is_bam


def test_a_business_with_a_manager_is_not_recovered(world: World, birch: BusinessAccount) -> None:
    eve, row = world.person("Birch Eve"), recovery_asked(world, birch)
    first, second = officer(world, "Olga"), officer(world, "Omar")
    done(propose(world, first, row, eve))
    User.objects.filter(pk=world.manager(birch).pk).update(is_active=True)
    assert code(confirm(world, second, row)) == "has_manager"
    assert not world.access(eve, birch).is_bam
    again = {"actor": eve, "bn9": birch.bn9, "statement": "Again", "at": world.at}
    assert code(create_recovery_request(**again)) == "has_manager"
    # One whose role will end one day can act, and name another, until then.
    User.objects.filter(pk=world.manager(birch).pk).update(is_active=False)
    dora, end = world.member("Dora", birch), world.later(days=9).at
    grant_business_role(
        person=dora, business=birch, granted_by=None, at=world.at, term=Term(None, end)
    )
    assert code(confirm(world, second, row)) == code(create_recovery_request(**again))
    assert code(confirm(world, second, row)) == "has_manager"
    assert not world.access(eve, birch).is_bam
    done(confirm(world.later(days=9), second, row))


def test_what_allowed_a_proposal_must_hold_until_it_is_confirmed(
    world: World, birch: BusinessAccount
) -> None:
    """Who proposed is still such an officer, and who asked has still to do with the business."""
    row, eve, olga = recovery_asked(world, birch), world.person("Birch Eve"), officer(world, "Olga")
    omar, ida = world.member("Omar", birch), officer(world, "Ida")
    done(propose(world, olga, row, omar))
    told = {"kind": OfficerRole.Kind.RECOVERY, "given_by": "Root", "at": world.at}
    done(end_officer_role(person=olga, **told))
    assert code(confirm(world, ida, row)) == "proposer_gone"
    done(grant_officer_role(person=olga, **told))
    membership = Membership.objects.filter(person=eve)
    for column in ("suspended_at", "ends_at"):
        membership.update(**{column: world.at})
        assert code(confirm(world, ida, row)) == code(propose(world, ida, row, omar, 2))
        assert code(confirm(world, ida, row)) == "not_concerned"
        membership.update(**{column: None})
    assert not world.access(omar, birch).is_bam
    done(confirm(world, ida, row))
    # Eve asked, and reads that it is over; who was made manager is none of her business.
    assert not Notice.objects.filter(recipient=eve, body__contains="Omar").exists()


def test_only_who_works_there_or_asked_is_proposed(world: World, birch: BusinessAccount) -> None:
    row, first = recovery_asked(world, birch), officer(world, "Olga")
    away = world.member("Away", birch)
    Membership.objects.filter(person=away).update(suspended_at=world.at)
    short = world.member("Short", birch)
    Membership.objects.filter(person=short).update(ends_at=world.at + timedelta(days=9))
    for person in (away, short, world.person("Zoe"), world.manager(birch)):
        person.refresh_from_db()
        assert code(propose(world, first, row, person)) == "not_eligible"
    assert code(propose(world, first, row, world.person("Birch Eve"), 7)) == "changed"


def test_whose_access_request_nobody_decides_may_ask(world: World, birch: BusinessAccount) -> None:
    unknown = next_bn9()
    for bn9 in (birch.bn9, unknown):
        world.access_request("Zoe", bn9)
    zoe, late = world.person("Zoe"), world.later(days=14)
    about = {"actor": zoe, "statement": "Nobody answers."}
    early = world.later(days=13)
    answers = [
        [code(create_recovery_request(bn9=bn9, at=now.at, **about)) for bn9 in (birch.bn9, unknown)]
        for now in (early, late, late)
    ]
    assert answers == [["not_allowed"] * 2, ["done"] * 2, ["already_waiting"] * 2]
    row = RecoveryRequest.objects.get(person=zoe, bn9=birch.bn9)
    done(propose(late, officer(world, "Olga"), row, zoe))
    # That her request for access lapses unanswered meanwhile is no answer.
    late = world.later(days=70)
    done(confirm(late, officer(world, "Omar"), row))
    assert late.access(zoe, birch).is_bam
    assert not [line for check in CHECKS for line in check(late.at)[1]]
    lost = RecoveryRequest.objects.get(person=zoe, bn9=unknown)
    assert code(propose(late, world.person("Olga"), lost, zoe)) == "not_registered"


def test_a_stranger_reads_the_same_for_any_number(world: World, birch: BusinessAccount) -> None:
    """Whoever only waits for access learns by mail neither a name nor that a number is known."""
    officer(world, "Olga")
    letters = []
    for name, bn9 in (("Zoe", birch.bn9), ("Sid", next_bn9())):
        world.access_request(name, bn9)
        late, told = world.later(days=14), []
        for close in (withdrawn, rejected):
            row = done(
                create_recovery_request(
                    actor=world.person(name), bn9=bn9, statement="Nobody answers.", at=late.at
                )
            )
            tell_what_was_asked(at=late.at)
            close(late, row)
            tell_what_was_asked(at=late.at)
            mails = Notice.objects.filter(recipient=row.person, key__contains=str(row.pk))
            for mail in mails.order_by("pk"):
                assert "Birch" not in mail.subject + mail.body and show_bn9(bn9) in mail.body
                read = mail.body.replace(show_bn9(bn9), "BN").replace(str(row.pk), "request")
                told.append((mail.subject, read))
        letters.append(told)
    registered, unknown = letters
    assert registered == unknown and len(registered) == 4


def test_asking_again_and_again_writes_no_end_of_mails(
    world: World, birch: BusinessAccount
) -> None:
    eve = world.person("Birch Eve")
    about = {"actor": eve, "bn9": birch.bn9, "statement": "Again", "at": world.at}
    for _time in range(3):
        withdrawn(world, recovery_asked(world, birch))
    assert [code(create_recovery_request(**about)) for _time in range(2)] == ["too_many"] * 2
    refused = Event.objects.filter(verb="recovery_request.create.refused")
    assert refused.filter(chain=business_chain(birch.bn9)).count() == 1
    # What nobody was told of is not told of as taken back, and what was is told once.
    tell_what_was_asked(at=world.at)
    assert not Notice.objects.filter(key__startswith="recovery_").exists()
    late = world.later(days=1)
    row = recovery_asked(late, birch)
    tell_what_was_asked(at=late.at)
    done(propose(late, officer(world, "Olga"), row, eve))
    tell_what_was_asked(at=late.at)
    row.refresh_from_db()
    withdrawn(late, row)
    tell_what_was_asked(at=late.at)
    told = Notice.objects.filter(recipient=eve, key__startswith="recovery_").order_by("pk")
    assert [mail.key.partition(":")[0] for mail in told] == [
        "recovery_asked", "recovery_withdrawn",
    ]  # fmt: skip


def test_a_request_is_rejected_withdrawn_or_lapses(world: World, birch: BusinessAccount) -> None:
    row, eve, first = (
        recovery_asked(world, birch),
        world.person("Birch Eve"),
        officer(world, "Olga"),
    )
    reject = {"reason": "A manager answered.", "expected_version": 1, "at": world.at}
    done(reject_recovery(actor=first, recovery_request=row, **reject))
    assert code(propose(world, first, row, eve)) == "already_decided"
    again = recovery_asked(world.later(days=1), birch)
    mine = {"recovery_request": again, "at": world.later(days=1).at}
    assert code(withdraw_recovery_request(actor=first, **mine)) == "not_allowed"
    done(withdraw_recovery_request(actor=eve, **mine))
    third = recovery_asked(world.later(days=2), birch)
    assert code(propose(world.later(days=92), first, third, eve)) == "lapsed"


def test_the_database_wants_two_officers(world: World, birch: BusinessAccount) -> None:
    row, olga = recovery_asked(world, birch), officer(world, "Olga")
    eve = world.person("Birch Eve")
    approved = {"decision": "approved", "decided_at": world.at, "decided_by": olga}
    proposed = {"proposed": eve, "proposed_by": olga, "proposed_at": world.at}
    for columns in (approved, approved | proposed, {"proposed": eve}):
        with pytest.raises(IntegrityError), transaction.atomic():
            RecoveryRequest.objects.filter(pk=row.pk).update(**columns)


def test_an_officer_role_is_given_once_and_ended(world: World) -> None:
    olga = officer(world, "Olga", OfficerRole.Kind.RECOVERY)
    with pytest.raises(AssertionError, match="already_given"):
        officer(world, "Olga", OfficerRole.Kind.RECOVERY)
    about = {"person": olga, "kind": OfficerRole.Kind.RECOVERY, "given_by": "Root"}
    done(end_officer_role(at=world.at, **about))
    assert code(end_officer_role(at=world.at, **about)) == "not_given"
    officer(world.later(days=1), "Olga", OfficerRole.Kind.RECOVERY)
    told = Event.objects.filter(verb__startswith="officer_role.").exclude(verb__endswith="refused")
    assert [event.verb for event in told.order_by("seq")] == [
        "officer_role.grant", "officer_role.end", "officer_role.grant",
    ]  # fmt: skip
