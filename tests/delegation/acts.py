"""What a racer can do: each act of two people who decide at once, and the same without locks."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from django.db import DatabaseError, transaction

from accounts.models import User
from audit.services import Refusal, business_chain
from businesses.models import BusinessAccount, ProgramGroup
from businesses.register import EntityProgram, LegalEntity
from businesses.services import open_business
from delegation.models import (
    AccessRequest,
    AccessReview,
    BusinessRole,
    Ceiling,
    EmployeeGroup,
    Invitation,
    Level,
    Membership,
    Relationship,
    RelationshipOffer,
    RelationshipRequest,
    RequestBatch,
    RequestTally,
    Succession,
)
from delegation.models.periods import during
from delegation.reviews import answers_digest
from delegation.roles import Role
from delegation.services import (
    agreements,
    batches,
    changes,
    continuity,
    employees,
    endings,
    grants,
    groups,
    invitations,
    locks,
    mutes,
    offers,
    program_groups,
    relationships,
    renewals,
    reviews,
    rights,
    roles,
)
from delegation.services.registrations import found_business
from transactions.corrections import Correction
from transactions.models import Declaration, ReasonCode
from transactions.services import create_correction

type Act = Callable[[dict[str, Any], datetime], Any]

A_MOMENT = 0.1
"""Seconds that a slow act leaves to the other one."""


def outcome(name: str, about: dict[str, Any], at: datetime) -> str:
    """How the act ended: `done`, the code of a refusal, or the name of an error."""
    try:
        answer = ACTS[name](about, at)
    except DatabaseError as error:
        return type(error).__name__
    return answer.code if isinstance(answer, Refusal) else "done"


def _who(about: dict[str, Any], at: datetime) -> dict[str, Any]:
    return {
        "actor": User.objects.get(pk=about["actor"]),
        "acting_for": BusinessAccount.objects.get(pk=about["business"]),
        "at": at,
    }


def approve(about: dict[str, Any], at: datetime) -> Any:
    who = _who(about, at)
    program = who["acting_for"].programs.get(extension="RM0001")
    return employees.approve_access_request(
        access_request=AccessRequest.objects.get(pk=about["request"]),
        grants=employees.Grants(programs={program.pk: Role.EDITOR}),
        expected_version=1,
        **who,
    )


def make_bam(about: dict[str, Any], at: datetime) -> Any:
    return employees.approve_access_request(
        access_request=AccessRequest.objects.get(pk=about["request"]),
        grants=employees.Grants(make_bam=True),
        expected_version=1,
        **_who(about, at),
    )


def reject(about: dict[str, Any], at: datetime) -> Any:
    return employees.reject_access_request(
        access_request=AccessRequest.objects.get(pk=about["request"]),
        reason="No",
        expected_version=1,
        **_who(about, at),
    )


def withdraw(about: dict[str, Any], at: datetime) -> Any:
    waiting = AccessRequest.objects.get(pk=about["request"])
    return employees.withdraw_access_request(actor=waiting.person, access_request=waiting, at=at)


def agree(about: dict[str, Any], at: datetime) -> Any:
    who = _who(about, at)
    programs = frozenset(who["acting_for"].programs.values_list("pk", flat=True))
    return relationships.approve_relationship_request(
        relationship_request=RelationshipRequest.objects.get(pk=about["request"]),
        agreement=agreements.Agreement(
            level=Level.PROGRAM,
            programs=programs,
            ceiling=Ceiling.EDITOR,
            rules=agreements.Rules(),
            last_day=(at + timedelta(days=30)).date(),
        ),
        expected_version=1,
        **who,
    )


def reject_firm(about: dict[str, Any], at: datetime) -> Any:
    return relationships.reject_relationship_request(
        relationship_request=RelationshipRequest.objects.get(pk=about["request"]),
        reason="No",
        expected_version=1,
        **_who(about, at),
    )


def withdraw_firm(about: dict[str, Any], at: datetime) -> Any:
    return relationships.withdraw_relationship_request(
        relationship_request=RelationshipRequest.objects.get(pk=about["request"]),
        **_who(about, at),
    )


def accept_offer(about: dict[str, Any], at: datetime) -> Any:
    offer = RelationshipOffer.objects.get(pk=about["offer"])
    return offers.accept_relationship_offer(
        relationship_offer=offer, expected_version=1, **_who(about, at)
    )


def withdraw_offer(about: dict[str, Any], at: datetime) -> Any:
    offer = RelationshipOffer.objects.get(pk=about["offer"])
    return offers.withdraw_relationship_offer(relationship_offer=offer, **_who(about, at))


def mute_firm(about: dict[str, Any], at: datetime) -> Any:
    asked = RelationshipRequest.objects.get(pk=about["request"])
    return mutes.mute_firm(relationship_request=asked, report="", **_who(about, at))


def _parting(about: dict[str, Any], at: datetime) -> dict[str, Any]:
    relationship = Relationship.objects.get(pk=about["relationship"])
    shown = {"expected_terms": about["terms"], "reason": ""}
    return {"relationship": relationship, **shown, **_who(about, at)}


def end_firm(about: dict[str, Any], at: datetime) -> Any:
    return endings.end_relationship(**_parting(about, at))


def leave_client(about: dict[str, Any], at: datetime) -> Any:
    return endings.leave_relationship(**_parting(about, at))


def change_firm(about: dict[str, Any], at: datetime) -> Any:
    who = _parting(about, at)
    del who["reason"]
    programs = frozenset(who["acting_for"].programs.values_list("pk", flat=True))
    agreement = agreements.Agreement(
        level=Level.PROGRAM,
        programs=programs,
        ceiling=Ceiling.EDITOR,
        rules=agreements.Rules(),
        last_day=(at + timedelta(days=60)).date(),
    )
    return changes.change_relationship(agreement=agreement, keeps_others=False, **who)


def renew_firm(about: dict[str, Any], at: datetime) -> Any:
    who = _parting(about, at)
    del who["reason"]
    renewal = renewals.Renewal((at + timedelta(days=400)).date(), frozenset({"RM0001"}))
    return renewals.renew_relationship(renewal=renewal, **who)


def _membership(about: dict[str, Any], at: datetime) -> Membership:
    return Membership.objects.get(during(at), person=about["victim"], business=about["business"])


def end_membership(about: dict[str, Any], at: datetime) -> Any:
    return rights.end_membership(membership=_membership(about, at), reason="Out", **_who(about, at))


def suspend(about: dict[str, Any], at: datetime) -> Any:
    return rights.suspend_membership(
        membership=_membership(about, at), reason="Out", **_who(about, at)
    )


def _role(about: dict[str, Any], at: datetime) -> BusinessRole:
    return BusinessRole.objects.get(
        during(at), user=about["victim"], content_object=about["business"]
    )


def demote(about: dict[str, Any], at: datetime) -> Any:
    return rights.end_business_role(role=_role(about, at), **_who(about, at))


def set_an_end(about: dict[str, Any], at: datetime) -> Any:
    end = at + timedelta(days=90)
    return rights.end_business_role(role=_role(about, at), ends_at=end, **_who(about, at))


def _answer(about: dict[str, Any], at: datetime) -> dict[str, Any]:
    waiting = Invitation.objects.get(pk=about["invitation"])
    return {"invitation": waiting, "expected_version": 1, "at": at}


def accept(about: dict[str, Any], at: datetime) -> Any:
    invited = User.objects.get(pk=about["invited"])
    return invitations.accept_invitation(actor=invited, **_answer(about, at))


def revoke(about: dict[str, Any], at: datetime) -> Any:
    return invitations.revoke_invitation(**{**_answer(about, at), **_who(about, at)})


def join_group(about: dict[str, Any], at: datetime) -> Any:
    return groups.add_employees_to_group(
        group=EmployeeGroup.objects.get(pk=about["group"]),
        people=[User.objects.get(pk=about["victim"])],
        **_who(about, at),
    )


def archive_group(about: dict[str, Any], at: datetime) -> Any:
    group = EmployeeGroup.objects.get(pk=about["group"])
    return groups.archive_employee_group(group=group, **_who(about, at))


def grant_over(about: dict[str, Any], at: datetime) -> Any:
    return groups.grant_employee_group_role(
        group=EmployeeGroup.objects.get(pk=about["group"]),
        scope=ProgramGroup.objects.get(pk=about["bundle"]),
        role=Role.READER,
        **_who(about, at),
    )


def archive_bundle(about: dict[str, Any], at: datetime) -> Any:
    group = ProgramGroup.objects.get(pk=about["bundle"])
    return program_groups.archive_program_group(group=group, **_who(about, at))


def register(about: dict[str, Any], at: datetime) -> Any:
    """Open a business and become its first manager, as a registration does."""
    entity = LegalEntity(
        bn9=about["bn9"], legal_name="Prairie", operating_name="", street="1 Wharf Street",
        city="Halifax", region="NS", postal_code="B3H 1A1", country="CA", emails=(),
        provider_type="none", programs=(EntityProgram("RM0001", "One", "importer", True),),
        transactions=(), payments=(), statements=(),
    )  # fmt: skip
    with transaction.atomic():
        business = open_business(entity=entity, at=at)
        person = User.objects.get(pk=about["actor"])
        found_business(person=person, business=business, at=at)
    return business


def stop(about: dict[str, Any], at: datetime) -> Any:
    succession = Succession.objects.get(pk=about["succession"])
    return continuity.stop_succession(
        succession=succession, reason="", expected_version=2, **_who(about, at)
    )


def take_over(about: dict[str, Any], at: datetime) -> Any:
    succession = Succession.objects.get(pk=about["succession"])
    return continuity.take_over_succession(
        succession=succession, expected_version=2, **_who(about, at)
    )


# ---------------------------------------------------------------- several acts in one


def add_people(about: dict[str, Any], at: datetime) -> Any:
    people = list(User.objects.filter(pk__in=about["people"]).order_by("pk"))
    group = EmployeeGroup.objects.get(pk=about["group"])
    return groups.add_employees_to_group(group=group, people=people, **_who(about, at))


@transaction.atomic
def add_one_by_one(about: dict[str, Any], at: datetime) -> Any:
    """As one must not: the history is held before the next membership."""
    group = EmployeeGroup.objects.get(pk=about["group"])
    for person in User.objects.filter(pk__in=about["people"]).order_by("pk"):
        groups.add_employees_to_group(group=group, people=[person], **_who(about, at))


def apply_answers(about: dict[str, Any], at: datetime) -> Any:
    review = AccessReview.objects.get(pk=about["review"])
    answers = reviews.apply_access_review(
        review=review, expected=answers_digest(review, at), **_who(about, at)
    )
    refused = [one.refusal for one in answers if one.refusal] if type(answers) is list else []
    return refused[0] if refused else answers


def change_role(about: dict[str, Any], at: datetime) -> Any:
    program = BusinessAccount.objects.get(pk=about["business"]).programs.get(extension="RM0002")
    return grants.change_role(
        membership=_membership(about, at),
        change=grants.RoleChange(Role.READER, frozenset({program.pk})),
        **_who(about, at),
    )


def send_file(about: dict[str, Any], at: datetime) -> Any:
    batch = RequestBatch.objects.get(pk=about["batch"])
    return batches.send_request_batch(batch=batch, **_who(about, at))


def ask_firm(about: dict[str, Any], at: datetime) -> Any:
    wish = relationships.Wish(Level.BUSINESS)
    return relationships.create_relationship_request(
        client_bn9=about["asked"], wish=wish, **_who(about, at)
    )


def correct(about: dict[str, Any], at: datetime) -> Any:
    """Another amount of duty on the one line of a declaration."""
    declaration = Declaration.objects.get(pk=about["declaration"])
    [line] = declaration.versions.get().lines.all()
    line.duty += 5
    change = Correction(reason_code=ReasonCode.VALUE, remarks="Invoice", lines=(line,))
    return create_correction(
        declaration=declaration, change=change, expected_version=1, **_who(about, at)
    )


def _lingering(act: Act) -> Act:
    """The same act, which is done but not yet committed for a while."""

    @transaction.atomic
    def lingering(about: dict[str, Any], at: datetime) -> Any:
        answer = act(about, at)
        time.sleep(3 * A_MOMENT)
        return answer

    return lingering


def _late(act: Act) -> Act:
    """The same act, begun when the other one is done but not yet committed."""

    def late(about: dict[str, Any], at: datetime) -> Any:
        time.sleep(A_MOMENT)
        return act(about, at)

    return late


def _careless(act: Act) -> Act:
    """The same act, by somebody who does not hold the right to it."""

    def careless(about: dict[str, Any], at: datetime) -> Any:
        with patch("delegation.services.locks.lock_rights", lambda *changed, used=(): None):
            return act(about, at)

    return careless


def _slowly(act: Act, hold: Callable[[BusinessAccount, User | None], object]) -> Act:
    """The same act, which stops for a moment once it holds the first of what it needs."""

    @transaction.atomic
    def slow(about: dict[str, Any], at: datetime) -> Any:
        victim = User.objects.filter(pk=about.get("victim")).first()
        hold(BusinessAccount.objects.get(pk=about["business"]), victim)
        time.sleep(A_MOMENT)
        return act(about, at)

    return slow


def _hold_business(business: BusinessAccount, person: User | None) -> None:
    locks.lock_rights(business)
    locks.lock_memberships([person] if person else [], business)


def _hold_count(business: BusinessAccount, _person: User | None) -> None:
    locks.lock_rights(used=[business])
    RequestTally.objects.select_for_update().filter(asker=business_chain(business.bn9)).first()


def _hold_offers(business: BusinessAccount, _person: User | None) -> None:
    locks.lock_rights(used=[business])
    list(RelationshipOffer.objects.select_for_update(no_key=True).filter(client=business))


SLOW: dict[str, Act] = {
    "slow_change_role": _slowly(change_role, _hold_business),
    "slow_end_membership": _slowly(end_membership, _hold_business),
    "slow_ask_firm": _slowly(ask_firm, _hold_count),
    "slow_withdraw_offer": _slowly(withdraw_offer, _hold_offers),
}

LATE: dict[str, Act] = {f"late_{act.__name__}": _late(act) for act in (approve, agree, correct)}
OUT_OF_ORDER: dict[str, Act] = {
    "add_one_by_one": add_one_by_one,
    "slow_change_role": SLOW["slow_change_role"],
}
CARELESS: dict[str, Act] = {
    f"careless_{name}": _careless(act) for name, act in (LATE | OUT_OF_ORDER).items()
}
LINGERING: dict[str, Act] = {
    f"lingering_{act.__name__}": _lingering(act) for act in (end_membership, end_firm)
}

ACTS: dict[str, Act] = SLOW | LATE | CARELESS | LINGERING | {
    act.__name__: act
    for act in (
        approve, make_bam, reject, withdraw, agree, reject_firm, withdraw_firm, end_firm,
        accept_offer, withdraw_offer, mute_firm,
        leave_client, change_firm, renew_firm, end_membership, suspend, demote, set_an_end,
        register, stop, take_over, accept, revoke,
        join_group, archive_group, grant_over, archive_bundle,
        add_people, apply_answers, change_role, send_file,
    )
}  # fmt: skip


def without_locks(meet: Callable[[], None]) -> list[tuple[str, Callable[..., Any]]]:
    """The services with their locks removed, and a meeting between what they read and write."""
    count = roles.lasting_managers

    def read(waiting: Any) -> Any:
        row = type(waiting)._default_manager.get(pk=waiting.pk)
        meet()
        return row

    def counted(business: BusinessAccount, at: datetime) -> set[int]:
        found = count(business, at)
        meet()
        return found

    return [
        ("delegation.services.endings.lock_relationship", read),
        ("delegation.services.relationships.lock_relationships", lambda client, provider: []),
        ("delegation.services.offers.lock", read),
        ("delegation.services.offers._lock_pair", lambda client, provider: None),
        ("delegation.services.continuity.lock", read),
        ("delegation.services.renewals.lock_relationship", read),
        ("delegation.services.changes.lock_relationship", read),
        ("delegation.services.employees.lock", read),
        ("delegation.services.relationships.lock", read),
        ("delegation.services.invitations._lock", read),
        ("delegation.services.locks.lock_group", read),
        ("delegation.services.locks.lock_rights", lambda *changed, used=(): None),
        ("delegation.services.roles.lasting_managers", counted),
    ]
