"""Every refusal says why, who can give what is missing, and where to ask; the way there is open."""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.models import (
    AccessRequest,
    BusinessRole,
    Ceiling,
    RelationshipRequest,
    Visibility,
)
from delegation.reasons import Reason
from delegation.remedies import Refused, remedy
from delegation.roles import Action
from delegation.services.agreements import Rules
from tests.delegation.reading import as_, words
from tests.transactions.factories import declare
from tests.transactions.pages import url
from tests.world import World
from transactions.models import DeclarationVersion

pytestmark = [pytest.mark.once, pytest.mark.django_db]

VIEW, EDIT = Visibility.VIEW, Visibility.EDIT
ALL = Rules(EDIT, EDIT, EDIT)


@pytest.fixture(autouse=True)
def now(clock: object) -> None:
    """The clock stands, so that relationships of the world are in force."""


class Met(NamedTuple):
    """Somebody who is refused: who, acting for whom, what, on what, and whether a page is due."""

    person: User
    acting_for: BusinessAccount
    action: Action
    target: Any
    leads_on: bool


def version(world: World, owner: BusinessAccount, by: BusinessAccount) -> DeclarationVersion:
    return declare(world.program(owner), world.at, submitter=by).versions.get()


def own(world: World, role: str = "", **about: Any) -> Met:
    """In the own business, with a role on another program account or none."""
    maple = world.importer("Maple")
    person = world.employee("Rea", maple, RM0001=role) if role else world.member("Rea", maple)
    return Met(person, maple, Action.EDIT_TRANSACTIONS, version(world, maple, maple), True)


def through(
    world: World, *, who: str = "", kind: str = "broker", by: str = "", given: bool = True,
    action: Action = Action.EDIT_TRANSACTIONS, leads_on: bool | None = None, **terms: Any,
) -> Met:  # fmt: skip
    """At a client of a firm: as its manager, or as one of its people."""
    maple, firm = world.importer("Maple"), getattr(world, kind)("ITN")
    if given:
        world.relationship(maple, firm, **{"rules": ALL, **terms})
    target = version(world, maple, maple if by == "client" else firm)
    person = world.member(who, firm) if who else world.manager(firm)
    return Met(person, firm, action, target, not who if leads_on is None else leads_on)


def disabled(world: World) -> Met:
    met = own(world, "reader")
    met.person.is_active = False
    return met._replace(leads_on=False)


def stranger(world: World) -> Met:
    return own(world)._replace(person=world.person("Stranger"))


def suspended(world: World) -> Met:
    met = own(world, "reader")
    met.person.memberships.update(suspended_at=world.at)
    return met._replace(leads_on=False)


def closed(world: World) -> Met:
    met = own(world, "editor")
    met.acting_for.status = BusinessAccount.Status.SUSPENDED
    met.acting_for.save()
    return met._replace(leads_on=False)


def shut(world: World) -> Met:
    met = own(world, "editor")
    world.program(met.acting_for)
    met.acting_for.programs.update(closed_at=world.at)
    return met._replace(target=DeclarationVersion.objects.get(), leads_on=False)


def no_firm_any_more(world: World) -> Met:
    met = through(world, leads_on=False)
    met.acting_for.provider_type = BusinessAccount.ProviderType.NONE
    met.acting_for.save()
    return met


def over(world: World) -> Met:
    return through(world.earlier(days=90))


def relationship_suspended(world: World) -> Met:
    met = through(world, leads_on=False)
    met.acting_for.relationships_as_provider.update(suspended_at=world.at)
    return met


def assigned_low(world: World) -> Met:
    met = through(world, who="Ben")
    world.assign("Ben", met.acting_for, met.target.owner, Ceiling.READER)
    return met


MEETINGS: Mapping[Reason, Callable[[World], Met]] = {
    Reason.PERSON_DISABLED: disabled,
    Reason.NO_MEMBERSHIP: stranger,
    Reason.MEMBERSHIP_SUSPENDED: suspended,
    Reason.BUSINESS_NOT_ACTIVE: closed,
    Reason.PROGRAM_CLOSED: shut,
    Reason.NO_ROLE: own,
    Reason.ROLE_TOO_LOW: lambda world: own(world, "reader"),
    Reason.NO_RELATIONSHIP: lambda world: through(world, given=False),
    Reason.NOT_ASSIGNED: lambda world: through(world, who="Hana"),
    Reason.NOT_IN_SCOPE: lambda world: through(world, programs=("RM0002",)),
    Reason.RELATIONSHIP_OVER: over,
    Reason.RELATIONSHIP_SUSPENDED: relationship_suspended,
    Reason.NOT_A_PROVIDER: no_firm_any_more,
    Reason.HIDDEN: lambda world: through(world, by="client", rules=Rules()),
    Reason.VIEW_ONLY: lambda world: through(world, rules=Rules(broker=VIEW)),
    Reason.CEILING: lambda world: through(world, ceiling=Ceiling.READER),
    Reason.ASSIGNMENT_TOO_LOW: assigned_low,
    Reason.PROVIDER_TYPE: lambda world: through(world, kind="consultant", leads_on=False),
}


def test_every_reason_has_its_meeting() -> None:
    assert {*MEETINGS} == {*Reason} - {Reason.ALLOWED}


@pytest.mark.parametrize("reason", MEETINGS)
def test_each_refusal_leads_to_a_page_that_takes_the_request(world: World, reason: Reason) -> None:
    person, acting_for, action, target, leads_on = MEETINGS[reason](world)
    access = Access(person, acting_for, world.at)
    assert access.decide(action, target).reason is reason
    named = {"extension": target.program.extension}
    if target.owner_id != acting_for.pk:
        named["client_bn9"] = target.owner.bn9

    found = remedy(Refused(reason, access, named))
    assert found.words and "%" not in found.words
    assert bool(found.url) is bool(found.label) is leads_on
    if found.url:
        browser = as_(person)
        assert sent(browser, found.url).status_code == 302
        again = remedy(Refused(reason, access, named))  # now the request waits
        assert again.url != found.url and browser.get(again.url).status_code == 200


def sent(browser: Client, page: str) -> Any:
    """The answer to the request that the page offers, sent as it is filled in."""
    shown = browser.get(page)
    assert shown.status_code == 200
    form = shown.context["form"]
    filled = {name: form[name].value() for name in form.fields}
    filled = {name: value for name, value in filled.items() if value not in (None, False)}
    known = dict(parse_qsl(urlsplit(page).query))
    assert known.items() <= filled.items()
    asked = {"note": "I need it for my work.", "level": "business"}
    key = re.search(r'name="form_key" value="([^"]+)"', shown.content.decode())
    assert key
    return browser.post(page.split("?")[0], {**asked, **filled, "form_key": key[1]})


def test_a_request_says_which_account_and_role(world: World) -> None:
    met = own(world, "reader")
    page = as_(met.person).get(url("correction_create", met.acting_for, met.target.declaration))
    [link] = re.findall(r'href="(/en-ca/requests/[^"]+)"', page.content.decode())
    sent(as_(met.person), link.replace("&amp;", "&"))

    [line] = AccessRequest.objects.get(person=met.person, decided_at=None).lines.all()
    assert (line.extension, line.wished_role) == ("RM0001", "editor")


def test_the_refusal_says_why_and_who_can_help(world: World) -> None:
    met = own(world, "reader")
    for page in (
        url("correction_create", met.acting_for, met.target.declaration),
        reverse("employee_list", kwargs={"bn9": met.acting_for.bn9}),
    ):
        refused = as_(met.person).get(page)
        assert refused.status_code == 403
        said = words(refused)
        assert "Your role does not include this." in said
        assert "A Business Account Manager can give you more access: Maple manager." in said
        assert "Request access" in said


def test_a_suspended_person_reads_whom_to_turn_to_and_no_names(world: World) -> None:
    met = suspended(world)
    said = words(as_(met.person).get(reverse("business_home", kwargs={"bn9": met.acting_for.bn9})))

    assert "A Business Account Manager of Maple can resume your access." in said
    assert "Maple manager" not in said


def test_the_people_of_a_firm_are_told_who_of_it_can_ask(world: World) -> None:
    met = through(world, rules=Rules(broker=VIEW))
    world.assign("Ben", met.acting_for, met.target.owner)
    declaration = met.target.declaration
    form = url("correction_create", met.acting_for, declaration)
    ben, manager = as_(world.person("Ben")), as_(world.manager(met.acting_for))

    said = words(ben.get(form))
    assert "A manager of your firm can ask the client: ITN manager." in said
    assert "relationships/request" not in said and "Maple manager" not in said
    refused = manager.get(form)
    assert "Request a business relationship" in words(refused)
    detail = manager.get(url("declaration_detail", met.acting_for, declaration))
    assert "Request a business relationship" in words(detail)


@pytest.mark.parametrize("who", ["", "Ben"])
@pytest.mark.parametrize("state", ["no provider", "not active"])
def test_a_firm_that_cannot_ask_is_not_told_to(world: World, who: str, state: str) -> None:
    met = through(world.earlier(days=90))
    person, firm = world.member(who, met.acting_for) if who else met.person, met.acting_for
    if state == "no provider":
        firm.provider_type = BusinessAccount.ProviderType.NONE
    else:
        firm.status = BusinessAccount.Status.SUSPENDED
    firm.save()
    named = {"client_bn9": met.target.owner.bn9}
    found = remedy(Refused(Reason.RELATIONSHIP_OVER, Access(person, firm, world.at), named))

    said = {"no provider": "Only a service provider can act", "not active": "once the account is"}
    assert said[state] in found.words and not found.url


def test_no_sentence_names_managers_where_there_is_none(world: World) -> None:
    met = through(world, who="Hana")
    BusinessRole.objects.filter(content_object=met.acting_for).update(ends_at=world.at)
    for reason in (Reason.NOT_ASSIGNED, Reason.VIEW_ONLY, Reason.ROLE_TOO_LOW):
        access = Access(met.person, met.acting_for, world.at)
        found = remedy(Refused(reason, access, {"client_bn9": met.target.owner.bn9}))
        assert found.words == f"{met.acting_for.name} has no manager at present."


def test_a_manager_is_not_sent_to_ask_for_what_it_has(world: World) -> None:
    maple = world.importer("Maple")
    manager = world.manager(maple)
    member = manager.memberships.get()
    page = reverse("membership_suspend", kwargs={"bn9": maple.bn9, "pk": member.pk})
    said = words(as_(manager).get(page))

    assert "You manage this business. What you cannot do is for another manager." in said
    assert "Request access" not in said


def test_what_waits_at_another_firm_is_no_request_of_ours(world: World) -> None:
    met = through(world, rules=Rules(broker=VIEW))
    world.relationship_request(world.broker("Wide"), met.target.owner)
    access = Access(met.person, met.acting_for, world.at)
    found = remedy(Refused(Reason.VIEW_ONLY, access, {"client_bn9": met.target.owner.bn9}))

    assert found.url.startswith(
        reverse("relationship_request_create", kwargs={"bn9": met.acting_for.bn9})
    )
    assert RelationshipRequest.objects.filter(provider=met.acting_for, decided_at=None).count() == 0
