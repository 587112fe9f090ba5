"""What an agreement leaves in force: exactly what it says, and nothing that somebody else said."""

from datetime import timedelta
from typing import Any

from audit.models import Event
from audit.services import Refusal, business_chain
from businesses.models import BusinessAccount
from delegation.models import (
    Ceiling,
    Level,
    Membership,
    ProgramRole,
    Relationship,
    Visibility,
)
from delegation.reasons import Reason
from delegation.roles import Action, Role
from delegation.services.agreements import Agreement, Rules
from delegation.services.employees import Grants, approve_access_request
from delegation.services.relationships import approve_relationship_request
from delegation.services.rights import end_membership
from notices.models import Notice
from tests.access.random_worlds import submission
from tests.world import World, done, roles_of

EVERYTHING = Rules(broker=Visibility.EDIT, importer=Visibility.EDIT, other=Visibility.EDIT)
OWN_ONLY = Rules(broker=Visibility.VIEW)


def agree(
    world: World,
    client: BusinessAccount,
    provider: BusinessAccount,
    programs: tuple[str, ...],
    name: str = "",
    **terms: Any,
) -> Relationship | Refusal:
    """The next request of the provider, approved by the client's manager, or by `name`."""
    waiting = world.relationship_request(provider, client, level=Level.PROGRAM, extensions=programs)
    agreement = {
        "level": Level.PROGRAM,
        "programs": frozenset(world.program(client, one).pk for one in programs),
        "ceiling": Ceiling.EDITOR,
        "rules": OWN_ONLY,
        "last_day": (world.at + timedelta(days=30)).date(),
    }
    return approve_relationship_request(
        actor=world.person(name) if name else world.manager(client),
        acting_for=client,
        relationship_request=waiting,
        agreement=Agreement(**agreement | terms),
        expected_version=waiting.version,
        at=world.at,
    )


def test_a_narrower_agreement_narrows_and_leaves_the_others(world: World) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    world.relationship(maple, itn, level=Level.BUSINESS, covers_future=True, rules=EVERYTHING)
    done(agree(world.later(hours=1), maple, itn, ("RM0001",), ceiling=Ceiling.READER))
    then = world.later(hours=2)
    access = then.access(world.manager(itn), itn)
    one, two = (
        submission(program=world.program(maple, ext), submitter=maple, at=world.at)
        for ext in ("RM0001", "RM0002")
    )
    edit = Action.EDIT_TRANSACTIONS
    assert access.decide(Action.VIEW_TRANSACTIONS, one).reason is Reason.HIDDEN
    assert access.decide(edit, one).reason is Reason.CEILING
    assert access.decide(edit, two).allowed
    end = Relationship.objects.get(client=maple).ends_at
    assert access.decide(edit, two).path.until == end


def test_a_pam_leaves_business_management_alone(world: World) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    world.employee("Pam", maple, RM0001="pam")
    world.relationship(
        maple, itn, level=Level.BUSINESS, programs=("RM0001", "RM0002"), rules=EVERYTHING
    )
    refusal = agree(world.later(hours=1), maple, itn, ("RM0001",), "Pam")
    assert isinstance(refusal, Refusal) and refusal.code == "business_terms"


def test_a_pam_renews_what_a_pam_may_agree(world: World) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    world.employee("Pam", maple, RM0001="pam")
    done(agree(world, maple, itn, ("RM0001",), "Pam"))
    done(agree(world.later(hours=1), maple, itn, ("RM0001",), "Pam"))


def test_a_refused_attempt_is_told_to_the_own_business_alone(world: World) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    world.employee("Pam", maple, RM0001="pam")
    refusal = agree(world, maple, itn, ("RM0001",), "Pam", ceiling=Ceiling.PAM)
    assert isinstance(refusal, Refusal)
    told = Event.objects.filter(verb="relationship_request.approve.refused")
    assert [event.chain_id for event in told] == [business_chain(maple.bn9)]


def test_a_decision_is_mailed_to_those_who_manage_the_firm_now(world: World) -> None:
    maple, itn = world.importer("Maple"), world.broker("ITN")
    gone = world.manager(itn)
    stays = world.employee("Stays", itn)
    waiting = world.relationship_request(itn, maple)
    done(
        end_membership(
            actor=stays,
            acting_for=itn,
            membership=Membership.objects.get(person=gone),
            reason="Left",
            at=world.at,
        )
    )
    done(
        approve_relationship_request(
            actor=world.manager(maple),
            acting_for=maple,
            relationship_request=waiting,
            agreement=Agreement(
                level=Level.PROGRAM,
                programs=frozenset({world.program(maple).pk}),
                ceiling=Ceiling.EDITOR,
                rules=OWN_ONLY,
                last_day=(world.at + timedelta(days=30)).date(),
            ),
            expected_version=waiting.version,
            at=world.later(hours=1).at,
        )
    )
    mails = Notice.objects.filter(template="delegation/email/relationship_request_approved.txt")
    assert [mail.address for mail in mails] == [stays.email]


def approve(world: World, actor: str, employer: BusinessAccount, name: str, role: Role) -> Any:
    """The next request of a person for RM0001, answered with a role."""
    waiting = world.access_request(name, employer, RM0001=role)
    return approve_access_request(
        actor=world.person(actor),
        acting_for=employer,
        access_request=waiting,
        grants=Grants(programs={world.program(employer).pk: role}),
        expected_version=waiting.version,
        at=world.at,
    )


def test_a_role_granted_again_has_no_end(world: World) -> None:
    maple = world.importer("Maple")
    eve = world.employee("Eve", maple, RM0001="editor")
    ProgramRole.objects.filter(user=eve).update(ends_at=world.at + timedelta(days=1))
    done(approve(world, "Maple manager", maple, "Eve", Role.EDITOR))
    assert roles_of(maple, eve, world.later(days=2).at)["RM0001"] is Role.EDITOR


def test_a_pam_does_not_demote_a_pam_by_approving(world: World) -> None:
    maple = world.importer("Maple")
    world.employee("Pam", maple, RM0001="pam")
    pat = world.employee("Pat", maple, RM0001="pam")
    refusal = approve(world, "Pam", maple, "Pat", Role.READER)
    assert isinstance(refusal, Refusal) and refusal.code == "above_own_right"
    assert roles_of(maple, pat, world.at)["RM0001"] is Role.PAM


def test_an_approval_that_waited_for_an_off_boarding_comes_after_it(world: World) -> None:
    """Its clock was read before; what it grants is granted anew, and nothing else comes back."""
    maple = world.importer("Maple")
    sue = world.employee("Sue", maple, RM0002="pam")
    later = world.later(minutes=5)
    done(
        end_membership(
            actor=world.manager(maple),
            acting_for=maple,
            membership=Membership.objects.get(person=sue),
            reason="Left",
            at=later.at,
        )
    )
    done(approve(world, "Maple manager", maple, "Sue", Role.READER))
    assert roles_of(maple, sue, later.at) == {"RM0001": Role.READER, "RM0002": None}
    assert ProgramRole.objects.get(user=sue, ends_at=None).starts_at == later.at


def test_a_manager_who_was_off_boarded_meanwhile_approves_nothing(world: World) -> None:
    maple = world.importer("Maple")
    ana = world.employee("Ana", maple)
    later = world.later(minutes=5)
    done(
        end_membership(
            actor=world.manager(maple),
            acting_for=maple,
            membership=Membership.objects.get(person=ana),
            reason="Left",
            at=later.at,
        )
    )
    refusal = approve(world, "Ana", maple, "Eve", Role.READER)
    assert isinstance(refusal, Refusal) and refusal.code == "not_allowed"
