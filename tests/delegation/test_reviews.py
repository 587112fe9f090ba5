"""Access reviews: what they hold, what they do, and that what was signed never changes."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from audit.models import Event
from audit.services import Refusal, business_chain
from businesses.models import BusinessAccount
from delegation.invariants import CHECKS
from delegation.models import (
    AccessReview,
    AccessReviewLine,
    EmployeeGroupMember,
    Membership,
    ProgramRole,
    ReviewAnswer,
)
from delegation.reviews import Choice, answers_digest, begun_since, counts, is_intact, is_review_due
from delegation.roles import Role
from delegation.services.groups import (
    add_employees_to_group,
    create_employee_group,
    grant_employee_group_role,
    remove_employee_from_group,
)
from delegation.services.reviews import (
    answer_access_review,
    apply_access_review,
    create_access_review,
    sign_access_review,
)
from delegation.services.rights import end_membership, end_program_role
from notices.models import Notice
from tests.world import World, done, roles_of

KEEP, REMOVE = Choice(ReviewAnswer.KEEP), Choice(ReviewAnswer.REMOVE)


def reduce_to(role: Role) -> Choice:
    return Choice(ReviewAnswer.REDUCE, role)


class Reviewed:
    """Maple with its manager, Ana a second one, Ed an Editor twice, and Gwen by a group."""

    def __init__(self, world: World, maple: BusinessAccount) -> None:
        self.world, self.maple = world, maple
        self.boss = {"actor": world.manager(maple), "acting_for": maple, "at": world.at}
        self.ana = world.employee("Ana Ash", maple)
        self.ed = world.employee("Ed Elm", maple, RM0001="editor", RM0002="pam")
        self.gwen = world.member("Gwen Gum", maple)
        team = done(create_employee_group(name="Team", **self.boss))
        done(add_employees_to_group(group=team, people=[self.gwen], **self.boss))
        program = world.program(maple)
        done(grant_employee_group_role(group=team, scope=program, role=Role.READER, **self.boss))
        self.review = done(create_access_review(**self.boss))

    def line(self, name: str, scope: str = "") -> AccessReviewLine:
        return self.review.lines.get(person_name=name, scope__contains=scope)

    def answer(self, *chosen: tuple[AccessReviewLine, Choice], **who: Any) -> Any:
        choices = {line.position: choice for line, choice in chosen}
        return answer_access_review(review=self.review, choices=choices, **self.boss | who)

    def keep_all(self) -> None:
        lines = self.review.lines.filter(answer="")
        done(self.answer(*((line, KEEP) for line in lines)))

    def apply(self, **who: Any) -> Any:
        said = {"expected": answers_digest(self.review, who.get("at", self.world.at))}
        return apply_access_review(review=self.review, **self.boss | said | who)

    def sign(self, **who: Any) -> Any:
        return sign_access_review(
            review=self.review, expected=counts(self.review), **self.boss | who
        )


@pytest.fixture
def reviewed(world: World, maple: BusinessAccount) -> Reviewed:
    return Reviewed(world, maple)


def test_it_holds_every_live_grant_as_it_was(reviewed: Reviewed) -> None:
    held = reviewed.review.lines.order_by("position")
    assert [(line.person_name, line.role, line.scope) for line in held] == [
        ("Ana Ash", "bam", ""),
        ("Ed Elm", "editor", "RM 0001 Maple 1"),
        ("Ed Elm", "pam", "RM 0002 Maple 2"),
        ("Gwen Gum", "", "Team"),
        ("Maple manager", "bam", ""),
    ]
    second = create_access_review(**reviewed.boss)
    assert isinstance(second, Refusal) and second.code == "already_waiting"
    with pytest.raises(IntegrityError), transaction.atomic():
        AccessReview.objects.create(
            business=reviewed.maple, opened_at=reviewed.world.at, opened_by=reviewed.ana
        )


def test_drafts_change_nothing_and_a_second_manager_goes_on(
    world: World, reviewed: Reviewed
) -> None:
    done(reviewed.answer((reviewed.line("Ed Elm", "RM 0001"), reduce_to(Role.READER))))
    done(reviewed.answer((reviewed.line("Ed Elm", "RM 0002"), REMOVE), actor=reviewed.ana))
    done(reviewed.answer((reviewed.line("Gwen Gum"), REMOVE), actor=reviewed.ana))
    assert roles_of(reviewed.maple, reviewed.ed, world.at)["RM0002"] is Role.PAM
    reviewed.keep_all()
    Notice.objects.all().delete()

    outcomes = done(reviewed.apply(actor=reviewed.ana))

    assert len(outcomes) == 5 and not any(one.refusal for one in outcomes)
    assert roles_of(reviewed.maple, reviewed.ed, world.at) == {
        "RM0001": Role.READER,
        "RM0002": None,
    }
    assert not any(roles_of(reviewed.maple, reviewed.gwen, world.at).values())
    assert not [line for check in CHECKS for line in check(world.at)[1]]
    told = Notice.objects.values_list("template", flat=True)
    assert {one.rpartition("/")[2] for one in told} >= {"role_changed.txt", "role_ended.txt"}
    signed = done(reviewed.sign())
    event = Event.objects.filter(chain=business_chain(reviewed.maple.bn9)).latest("seq")
    assert event.verb == "access_review.sign" and event.after is not None
    assert (event.after["digest"], event.after["removed"]) == (signed.digest, 2)
    assert counts(signed) == {"": 0, "kept": 2, "reduced": 1, "removed": 2, "changed": 0}


def test_what_changed_meanwhile_is_shown_and_left_alone(world: World, reviewed: Reviewed) -> None:
    role = ProgramRole.objects.get(user=reviewed.ed, content_object__extension="RM0001")
    done(reviewed.answer((reviewed.line("Ed Elm", "RM 0001"), reduce_to(Role.READER))))
    later = world.later(hours=1)
    then = reviewed.boss | {"at": later.at}
    done(end_program_role(role=role, **then))
    later.employee("Zoe Zed", reviewed.maple, RM0001="reader")
    assert [line.person_name for line in begun_since(reviewed.review, later.at)] == ["Zoe Zed"]

    [outcome] = done(reviewed.apply(**then))

    assert outcome.line.result == "changed" and outcome.refusal is None
    assert not any(
        role is Role.READER for role in roles_of(reviewed.maple, reviewed.ed, later.at).values()
    )


def test_nothing_is_applied_that_changed_since_it_was_read(
    world: World, reviewed: Reviewed
) -> None:
    """An answer or a grant that is another one by now, seen while all of it is held."""
    eds = reviewed.line("Ed Elm", "RM 0001")
    done(reviewed.answer((eds, REMOVE), (reviewed.line("Gwen Gum"), KEEP)))
    role = ProgramRole.objects.get(user=reviewed.ed, content_object__extension="RM0001")
    meanwhile = [
        lambda: reviewed.answer((eds, reduce_to(Role.READER)), actor=reviewed.ana),
        lambda: end_program_role(role=role, ends_at=world.later(days=9).at, **reviewed.boss),
        lambda: remove_employee_from_group(
            member=EmployeeGroupMember.objects.get(), **reviewed.boss
        ),
    ]
    for act in meanwhile:
        read = answers_digest(reviewed.review, world.at)
        done(act())
        refused = reviewed.apply(expected=read)
        assert isinstance(refused, Refusal) and refused.code == "changed"
        assert not reviewed.review.lines.exclude(result="").exists()
    assert roles_of(reviewed.maple, reviewed.ed, world.at)["RM0001"] is Role.EDITOR


def test_the_last_manager_stays_and_nobody_changes_the_own_role(
    world: World, reviewed: Reviewed
) -> None:
    mine, anas = reviewed.line("Maple manager"), reviewed.line("Ana Ash")
    done(reviewed.answer((mine, REMOVE), (anas, REMOVE)))
    outcomes = done(reviewed.apply())
    refused = [one for one in outcomes if one.refusal]
    assert [one.refusal.code for one in refused if one.refusal] == ["last_manager"]
    assert len(outcomes) == 2 and not [line for check in CHECKS for line in check(world.at)[1]]
    unfinished = reviewed.sign()
    assert isinstance(unfinished, Refusal) and unfinished.code == "not_finished"

    eds = reviewed.line("Ed Elm", "RM 0002")
    own = answer_access_review(
        actor=reviewed.ed, acting_for=reviewed.maple, review=reviewed.review,
        choices={eds.position: KEEP}, at=world.at,
    )  # fmt: skip
    assert isinstance(own, Refusal) and own.code == "not_allowed"
    for role in (Role.BAM, Role.PAM):
        raised = reviewed.answer((eds, reduce_to(role)))
        assert isinstance(raised, Refusal) and raised.code == "not_lower"


def test_a_reduced_role_lasts_no_longer_than_the_one_it_replaces(
    world: World, reviewed: Reviewed
) -> None:
    role = ProgramRole.objects.get(user=reviewed.ed, content_object__extension="RM0002")
    end = world.later(days=9).at
    done(end_program_role(role=role, ends_at=end, **reviewed.boss))
    done(reviewed.answer((reviewed.line("Ed Elm", "RM 0002"), reduce_to(Role.EDITOR))))
    [outcome] = done(reviewed.apply())
    assert outcome.refusal is None and outcome.line.result == "reduced"
    assert roles_of(reviewed.maple, reviewed.ed, world.at)["RM0002"] is Role.EDITOR
    assert roles_of(reviewed.maple, reviewed.ed, end)["RM0002"] is None


def test_what_was_signed_never_changes(world: World, reviewed: Reviewed) -> None:
    reviewed.keep_all()
    done(reviewed.apply())
    signed = done(reviewed.sign())
    assert is_intact(signed)
    for late in (reviewed.answer((reviewed.line("Ana Ash"), REMOVE)), reviewed.apply()):
        assert isinstance(late, Refusal) and late.code == "already_decided"
    assert isinstance(reviewed.sign(), Refusal) and is_intact(signed)
    # The controls: a row that is changed shows, and so does one whose digest was made to fit.
    line = reviewed.line("Ana Ash")
    for column, value in (("result", "removed"), ("person_name", "Bo"), ("role", "reader")):
        before = getattr(line, column)
        AccessReviewLine.objects.filter(pk=line.pk).update(**{column: value})
        assert not is_intact(signed), column
        AccessReviewLine.objects.filter(pk=line.pk).update(**{column: before})
    assert is_intact(signed)
    line.delete()
    assert not is_intact(signed)
    AccessReview.objects.filter(pk=signed.pk).update(digest="f" * 64)
    assert not is_intact(AccessReview.objects.get())


def test_it_is_due_after_a_year(world: World, reviewed: Reviewed) -> None:
    maple = reviewed.maple
    assert not is_review_due(maple, world.later(days=400).at)  # one is open
    reviewed.keep_all()
    done(reviewed.apply())
    done(reviewed.sign())
    assert not is_review_due(maple, world.later(days=365).at)
    assert is_review_due(maple, world.later(days=366).at)
    cedar = world.importer("Cedar")
    assert [is_review_due(cedar, world.later(days=n).at) for n in (10, 366)] == [False, True]


def test_whoever_left_is_left_alone(world: World, reviewed: Reviewed) -> None:
    membership = Membership.objects.get(person=reviewed.ed)
    done(end_membership(membership=membership, reason="", **reviewed.boss))
    done(reviewed.answer(*((line, KEEP) for line in reviewed.review.lines.all())))
    done(reviewed.apply())
    assert counts(reviewed.review)["changed"] == 2
