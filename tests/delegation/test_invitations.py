"""Invitations: what they give, to whom alone, and everything that is asked again on accepting."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.db import IntegrityError, transaction

from accounts.models import User
from audit.models import Event
from audit.services import Refusal, business_chain, person_chain
from businesses.models import BusinessAccount
from delegation.invariants import CHECKS
from delegation.invitations import readable_invitations
from delegation.models import Invitation, InvitationMail, InvitationStatus, Membership
from delegation.models.invitations import digest_of
from delegation.permissions import can_resend_invitation, can_revoke_invitation
from delegation.roles import Role
from delegation.services.employees import Grants
from delegation.services.groups import (
    archive_employee_group,
    create_employee_group,
    grant_employee_group_role,
)
from delegation.services.invitations import (
    Offer,
    accept_invitation,
    create_invitation,
    decline_invitation,
    resend_invitation,
    revoke_invitation,
)
from delegation.services.rights import (
    end_business_role,
    end_membership,
    end_program_role,
    suspend_membership,
)
from notices.models import Notice
from tests.delegation.test_faults import everything
from tests.world import World, done, roles_of

type Act = Callable[[World, Invitation, User], Any]


@pytest.fixture
def eve(world: World) -> User:
    """Eve, who has proved to own her address."""
    return world.owns(world.person("Eve"))


def accept(world: World, invitation: Invitation, person: User) -> Any:
    seen = invitation.version
    return accept_invitation(
        actor=person, invitation=invitation, expected_version=seen, at=world.at
    )


def decline(world: World, invitation: Invitation, person: User) -> Any:
    seen = invitation.version
    return decline_invitation(
        actor=person, invitation=invitation, expected_version=seen, at=world.at
    )


def _by_manager(act: Callable[..., Any]) -> Act:
    def acted(world: World, invitation: Invitation, person: User) -> Any:
        return act(
            actor=world.manager(invitation.business),
            acting_for=invitation.business,
            invitation=invitation,
            expected_version=invitation.version,
            at=world.at,
        )

    return acted


resend, revoke = _by_manager(resend_invitation), _by_manager(revoke_invitation)


def become(status: str, world: World, invitation: Invitation, person: User) -> World:
    """The invitation gets into the status; the world when it is there."""
    if status == "lapsed":
        return world.later(days=14)
    way = {"accepted": accept, "declined": decline, "revoked": revoke}.get(status)
    if way:
        done(way(world, invitation, person))
    return world


# ---------------------------------------------------------------- the states

ACTS: dict[str, Act] = {
    "accept": accept,
    "decline": decline,
    "resend": resend,
    "revoke": revoke,
}
ALLOWED = {"waiting": {"accept", "decline", "resend", "revoke"}, "lapsed": {"resend"}}
"""Written by hand: whatever is not named here is forbidden."""


def test_what_becomes_of_an_invitation(world: World, maple: BusinessAccount, eve: User) -> None:
    for status in InvitationStatus.values:
        for name, act in ACTS.items():
            with transaction.atomic():
                invitation = world.invitation(eve.email, maple, RM0001="editor")
                then = become(status, world, invitation, eve)
                invitation.refresh_from_db()
                assert invitation.status_at(then.at) == status
                seen = (invitation.decision, invitation.version)
                answer = act(then, invitation, eve)
                is_done = not isinstance(answer, Refusal)
                assert is_done is (name in ALLOWED.get(status, set())), (status, name)
                invitation.refresh_from_db()
                if isinstance(answer, Refusal):
                    assert answer.code == ("lapsed" if status == "lapsed" else "already_decided")
                assert ((invitation.decision, invitation.version) == seen) is not is_done
                transaction.set_rollback(True)


@pytest.mark.asvs("6.4.1")
def test_it_lapses_after_14_days_by_the_clock(
    world: World, maple: BusinessAccount, eve: User
) -> None:
    invitation = world.invitation(eve.email, maple, RM0001="editor")
    last = world.later(days=13, hours=23)
    assert invitation.status_at(last.at) == "waiting"
    assert list(Invitation.objects.pending_at(last.at)) == [invitation]
    assert accept(world.later(days=14), invitation, eve).code == "lapsed"
    assert not Invitation.objects.pending_at(world.later(days=14).at)


# ---------------------------------------------------------------- what it gives


def test_accepting_gives_what_was_offered_and_tells_everybody(
    world: World, maple: BusinessAccount, eve: User
) -> None:
    pam = world.employee("Pam", maple, RM0001="pam")
    other = world.employee("Ana", maple)
    invitation = world.invitation(eve.email, maple, by=pam, RM0001="editor")
    Notice.objects.all().delete()

    done(accept(world, invitation, eve))

    assert roles_of(maple, eve, world.at) == {"RM0001": Role.EDITOR, "RM0002": None}
    told = Notice.objects.values_list("recipient__first_name", flat=True)
    assert sorted(map(str, told)) == ["Ana", "Maple", "Pam"]
    assert not any("Eve" in one.subject for one in Notice.objects.all())
    for chain in (business_chain(maple.bn9), person_chain(eve)):
        event = Event.objects.filter(chain=chain).latest("seq")
        assert (event.verb, event.actor_name) == ("invitation.accept", eve.get_full_name())
        assert event.after is not None and event.after["roles"] == {"RM0001": "editor"}
        assert (event.after["invited_by"], event.after["by_right"]) == ("Pam", "own:pam")
    assert other.is_active

    # Who left is told no more what becomes of it.
    waiting = world.invitation(world.owns(world.person("Bo")).email, maple, by=other)
    boss = {"actor": world.manager(maple), "acting_for": maple, "reason": "Left"}
    later = world.later(hours=1)
    done(end_membership(membership=other.memberships.get(), **boss, at=later.at))
    done(decline(later, waiting, world.person("Bo")))
    assert not Notice.objects.filter(key__startswith="invitation_declined").exists()


def test_an_employee_is_given_more_and_never_less(
    world: World, maple: BusinessAccount, eve: User
) -> None:
    world.employee("Eve", maple, RM0001="editor")
    first = world.invitation(eve.email, maple, RM0001="reader", RM0002="pam")
    done(accept(world, first, eve))
    assert roles_of(maple, eve, world.at) == {"RM0001": Role.EDITOR, "RM0002": Role.PAM}
    event = Event.objects.filter(chain=business_chain(maple.bn9)).latest("seq")
    assert event.after is not None and event.after["roles"] == {"RM0002": "pam"}
    [letter] = Notice.objects.filter(key__startswith=f"invitation_accepted:{first.pk}")
    assert "RM 0002: Program Account Manager" in letter.body and "RM 0001" not in letter.body
    less = world.invitation(eve.email, maple, RM0001="reader")
    done(accept(world, less, eve))
    [letter] = Notice.objects.filter(key__startswith=f"invitation_accepted:{less.pk}")
    assert "No role was changed." in letter.body
    done(accept(world, world.invitation(eve.email, maple), eve))
    assert world.access(eve, maple).is_bam
    assert Membership.objects.filter(person=eve).count() == 1


def test_an_invitation_into_groups_gives_what_they_hold_when_it_is_accepted(
    world: World, maple: BusinessAccount, eve: User
) -> None:
    boss = {"actor": world.manager(maple), "acting_for": maple, "at": world.at}
    readers, archived = (
        done(create_employee_group(name=name, **boss)) for name in ("Readers", "Old")
    )
    program = world.program(maple, "RM0002")
    pam = world.employee("Pam", maple, RM0001="pam")
    waiting = world.invitation(eve.email, maple, groups=(readers,))
    assert not can_resend_invitation(world.access(pam, maple), waiting)
    assert not can_revoke_invitation(world.access(pam, maple), waiting)
    assert not readable_invitations(world.access(pam, maple)).exists()
    done(grant_employee_group_role(group=readers, scope=program, role=Role.READER, **boss))
    Notice.objects.all().delete()

    done(accept(world, waiting, eve))

    assert roles_of(maple, eve, world.at) == {"RM0001": None, "RM0002": Role.READER}
    event = Event.objects.filter(chain=person_chain(eve)).latest("seq")
    assert event.after is not None and event.after["groups"] == ["Readers"]
    assert "Member of the employee group Readers" in Notice.objects.all()[0].body
    again = world.invitation(eve.email, maple, groups=(readers,))
    done(accept(world, again, eve))
    assert readers.members.count() == 1
    late = world.invitation(eve.email, maple, groups=(archived,), RM0001="reader")
    done(archive_employee_group(group=archived, **boss))
    assert accept(world, late, eve).code == "archived"
    offer = Offer("zoe@example.test", "en-ca", "", Grants(), (readers,))
    by_pam = create_invitation(offer=offer, **boss | {"actor": pam})
    assert isinstance(by_pam, Refusal) and by_pam.code == "not_allowed"


MAY_INVITE: list[tuple[str, dict[str, str], str]] = [
    ("bam", {}, ""),
    ("bam", {"RM0001": "pam", "RM0002": "reader"}, ""),
    ("pam", {"RM0001": "editor"}, ""),
    ("pam", {"RM0001": "reader"}, ""),
    ("pam", {}, "above_own_right"),
    ("pam", {"RM0001": "pam"}, "above_own_right"),
    ("pam", {"RM0001": "reader", "RM0002": "reader"}, "above_own_right"),
    ("editor", {"RM0001": "reader"}, "not_allowed"),
    ("stranger", {"RM0001": "reader"}, "not_allowed"),
]


def test_nobody_invites_above_the_own_right(world: World, maple: BusinessAccount) -> None:
    people = {"bam": world.manager(maple), "stranger": world.person("Sid")}
    for role in ("pam", "editor"):
        people[role] = world.employee(role.title(), maple, RM0001=role)
    for number, (inviter, roles, code) in enumerate(MAY_INVITE):
        programs = {world.program(maple, key).pk: Role(role) for key, role in roles.items()}
        grants = Grants(make_bam=not roles, programs=programs)
        offer = Offer(f"zoe{number}@example.test", "en-ca", "", grants)
        who = {"actor": people[inviter], "acting_for": maple, "at": world.at}
        answer = create_invitation(offer=offer, **who)
        assert (answer.code if isinstance(answer, Refusal) else "") == code, (inviter, roles)
        assert Invitation.objects.filter(email=offer.email).exists() is not bool(code)


# ---------------------------------------------------------------- asked again


def _pam_goes(world: World, maple: BusinessAccount, pam: User, eve: User) -> None:
    boss = {"actor": world.manager(maple), "acting_for": maple, "at": world.at}
    membership = Membership.objects.get(person=pam)
    done(end_membership(membership=membership, reason="", **boss))


def _pam_is_suspended(world: World, maple: BusinessAccount, pam: User, eve: User) -> None:
    boss = {"actor": world.manager(maple), "acting_for": maple, "at": world.at}
    membership = Membership.objects.get(person=pam)
    done(suspend_membership(membership=membership, reason="", **boss))


def _pam_loses_the_role(world: World, maple: BusinessAccount, pam: User, eve: User) -> None:
    boss = {"actor": world.manager(maple), "acting_for": maple, "at": world.at}
    role = world.program(maple).role_rows.get(user=pam)
    done(end_program_role(role=role, **boss))


def _pam_is_disabled(world: World, maple: BusinessAccount, pam: User, eve: User) -> None:
    User.objects.filter(pk=pam.pk).update(is_active=False)


def _program_closes(world: World, maple: BusinessAccount, pam: User, eve: User) -> None:
    maple.programs.filter(extension="RM0001").update(closed_at=world.at)


def _business_is_suspended(world: World, maple: BusinessAccount, pam: User, eve: User) -> None:
    BusinessAccount.objects.filter(pk=maple.pk).update(status="suspended")


def _eve_is_suspended(world: World, maple: BusinessAccount, pam: User, eve: User) -> None:
    Membership.objects.create(person=eve, business=maple, starts_at=world.at, suspended_at=world.at)


WHAT_HAPPENS = (
    _pam_goes,
    _pam_is_suspended,
    _pam_loses_the_role,
    _pam_is_disabled,
    _program_closes,
    _business_is_suspended,
    _eve_is_suspended,
)


def test_everything_is_asked_again(world: World, maple: BusinessAccount, eve: User) -> None:
    """Nothing is written but the refused attempt, and the person reads whom to ask."""
    pam = world.employee("Pam Park", maple, RM0001="pam")
    invitation = world.invitation(eve.email, maple, by=pam, RM0001="editor")
    for what in WHAT_HAPPENS:
        with transaction.atomic():
            what(world, maple, pam, eve)
            before = everything()
            answer = accept(world, invitation, eve)
            assert isinstance(answer, Refusal), what.__name__
            assert "Ask Pam Park or another manager of Maple for a new one." in answer.message
            after = everything()
            changed = {table for table in after if after[table] != before[table]}
            assert changed == {"audit_event", "audit_chain"}
            refused = Event.objects.filter(verb="invitation.accept.refused")
            chains = {business_chain(maple.bn9), person_chain(eve)}
            assert {one.chain_id for one in refused} == chains
            transaction.set_rollback(True)
    # The control: where none of it happens, it is accepted, and every promise is kept.
    done(accept(world, invitation, eve))
    assert not [line for check in CHECKS for line in check(world.at)[1]]


def test_whoever_sends_it_again_stands_for_it(
    world: World, maple: BusinessAccount, eve: User
) -> None:
    ana = world.employee("Ana", maple)
    invitation = world.invitation(eve.email, maple, by=ana)
    old = invitation.token_digest
    boss = {"actor": world.manager(maple), "acting_for": maple, "at": world.at}
    done(end_business_role(role=maple.role_rows.get(user=ana), **boss))
    assert isinstance(accept(world, invitation, eve), Refusal)

    sent = done(resend(world.later(days=20), invitation, eve))

    assert (sent.invited_by, sent.version) == (world.manager(maple), 2)
    assert sent.closes_at == world.at + timedelta(days=34)
    assert not Invitation.objects.filter(token_digest=old).exists()
    then = world.later(days=21)
    stale = accept_invitation(actor=eve, invitation=sent, expected_version=1, at=then.at)
    assert isinstance(stale, Refusal) and stale.code == "changed"
    done(accept(then, sent, eve))
    assert then.access(eve, maple).is_bam


# ---------------------------------------------------------------- addresses, links and mails


@pytest.mark.asvs("8.2.2")
def test_a_stranger_learns_nothing_and_leaves_no_trace_in_the_business(
    world: World, maple: BusinessAccount, eve: User
) -> None:
    invitation = world.invitation("zoe@example.test", maple)
    answer = accept(world, invitation, eve)
    assert isinstance(answer, Refusal) and answer.code == "not_yours"
    assert "Maple" not in str(answer.message)
    [event] = Event.objects.filter(verb="invitation.accept.refused")
    assert (event.chain_id, event.object_label) == (person_chain(eve), "")


@pytest.mark.asvs("6.4.1")
def test_the_secret_of_a_link_is_in_the_mail_alone(
    world: World, maple: BusinessAccount, django_capture_on_commit_callbacks: Any
) -> None:
    offer = Offer("zoé@example.test", "fr-ca", "Bienvenue!", Grants(make_bam=True))
    with django_capture_on_commit_callbacks(execute=True):
        sent = done(
            create_invitation(
                actor=world.manager(maple), acting_for=maple, offer=offer, at=world.at
            )
        )
    [letter] = mail.outbox
    assert letter.to == ["zoé@example.test"]
    link = next(line for line in str(letter.body).splitlines() if "/invitations/open/" in line)
    token = link.rstrip("/").rpartition("/")[2]
    assert digest_of(token) == sent.token_digest and len(token) == 43
    assert "/fr-ca/" in link and "Bienvenue!" in letter.body
    assert not any(one in letter.subject for one in ("zo", "Maple", maple.bn9, "manager"))
    assert token not in repr(everything()) + repr(vars(sent))
    # The control: what is stored is found where it is looked for.
    assert sent.token_digest in repr(everything())


def test_one_invitation_of_an_address_waits(world: World, maple: BusinessAccount) -> None:
    first = world.invitation("zoe@example.test", maple)
    offer = Offer("zoe@example.test", "en-ca", "", Grants(make_bam=True))
    boss = {"actor": world.manager(maple), "acting_for": maple}
    second = create_invitation(offer=offer, at=world.at, **boss)
    assert isinstance(second, Refusal) and second.code == "already_waiting"
    copy = Invitation.objects.get(pk=first.pk)
    copy.pk, copy.token_digest = uuid4(), "0" * 64
    with pytest.raises(IntegrityError), transaction.atomic():
        copy.save(force_insert=True)
    # A lapsed one bars nothing, but cannot wait again beside the new one.
    then = world.later(days=15)
    done(create_invitation(offer=offer, at=then.at, **boss))
    again = resend(then, first, world.manager(maple))
    assert isinstance(again, Refusal) and again.code == "already_waiting"


def test_a_lapsed_one_waits_anew_after_a_later_one_is_closed(
    world: World, maple: BusinessAccount
) -> None:
    first = world.invitation("zoe@example.test", maple)
    then = world.later(days=15)
    later = then.invitation("zoe@example.test", maple)
    done(revoke(world.later(days=16), later, world.manager(maple)))
    sent = done(resend(world.later(days=17), first, world.manager(maple)))
    assert (sent.starts_at, sent.closes_at) == (
        world.at + timedelta(days=17), world.at + timedelta(days=31),
    )  # fmt: skip
    # Sent again while it waits, it keeps its beginning.
    assert done(resend(world.later(days=18), sent, sent.invited_by)).starts_at == sent.starts_at


def test_a_business_sends_so_many_in_a_day(
    world: World, maple: BusinessAccount, settings: Any
) -> None:
    settings.INVITATIONS_PER_DAY = 2
    first = world.invitation("a@example.test", maple)
    done(resend(world, first, world.manager(maple)))
    offer = Offer("b@example.test", "en-ca", "", Grants(make_bam=True))
    boss = {"actor": world.manager(maple), "acting_for": maple}
    third = create_invitation(offer=offer, at=world.at, **boss)
    assert isinstance(third, Refusal) and third.code == "too_many"
    assert isinstance(resend(world, Invitation.objects.get(), first.invited_by), Refusal)
    assert InvitationMail.objects.count() == 2
    world.invitation("b@example.test", world.importer("Cedar"))
    done(create_invitation(offer=offer, at=world.later(days=1).at, **boss))
