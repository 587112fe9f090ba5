"""Defects of reach: who sees or does what by a list, an address, a post, a firm."""

import csv
import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, resolve, reverse

from accounts.models import User
from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.models import (
    AccessRequest,
    Ceiling,
    Membership,
    ProgramRole,
    RelationshipRequest,
    Visibility,
)
from delegation.models.periods import during
from delegation.roles import Action
from delegation.services.agreements import Agreement, Rules
from delegation.services.clients import (
    create_staff_assignment,
)
from delegation.services.digests import tell_what_waits
from delegation.services.employees import Grants, approve_access_request
from delegation.services.groups import (
    add_employees_to_group,
    create_employee_group,
)
from delegation.services.relationships import (
    approve_relationship_request,
    reject_relationship_request,
)
from delegation.services.rights import end_membership
from notices.models import Notice
from pages.formats import money
from pages.rules import rules_of
from tests.access.defects.broken import (
    EVERYTHING,
    address,
    finds,
    instead,
    named,
    there_is,
)
from tests.access.defects.test_people import codes
from tests.access.test_matrix import routes
from tests.delegation.reading import as_, words
from tests.delegation.test_relationship_pages import answers
from tests.officers.people import officer
from tests.transactions.factories import declare
from tests.transactions.pages import correction, rows, url
from tests.world import World, done
from transactions.amounts import MOST
from transactions.models import Declaration, DeclarationVersion

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("clock")]


def whole_business(self: Access) -> Q:
    return Q(owner_id=self.acting_for.pk)


@finds(instead("delegation.access.Access.own_records", whole_business))
@finds(instead("delegation.access.Access.assigned", lambda self, column: Q()))
@finds(instead("delegation.access.Access._residual", lambda *_: []))
def test_d06_the_list_and_the_page_disagree(world: World) -> None:
    """A list shows what its page refuses, or the reverse; here both show the same."""
    before = world.earlier(days=90)
    maple, itn, past = before.importer("Maple"), before.broker("ITN"), before.broker("Past")
    before.relationship(maple, past, rules=EVERYTHING)
    julie = before.assign("Julie", past, maple).person
    world.relationship(maple, itn)
    readers = [
        (world.manager(maple), maple, 6), (world.employee("Rea", maple, RM0001="reader"), maple, 3),
        (world.assign("Ben", itn, maple).person, itn, 1), (world.member("Hana", itn), itn, 0),
        (julie, past, 1),
    ]  # fmt: skip
    for extension, firm in product(("RM0001", "RM0002"), (maple, itn, past)):
        then = world.at - timedelta(days=80 if firm == past else 0)
        declare(world.program(maple, extension), then, submitter=firm)

    every = Declaration.objects.select_related("program", "owner").prefetch_related("versions")
    for person, firm, number in readers:
        browser, access = as_(person), world.access(person, firm)
        listed = {one[:14] for one in rows(browser.get(url("declaration_list", firm)))}
        opened, decided = set(), set()
        for one in every:
            if browser.get(url("declaration_detail", firm, one)).status_code == 200:
                opened.add(one.number)
            if access.decide(Action.VIEW_TRANSACTIONS, one.versions.all()[0]).allowed:
                decided.add(one.number)
        assert listed == opened == decided, f"{person}: {listed} {opened} {decided}"
        assert len(listed) == number, f"{person}: {listed}"


KEYS = ("pk", "client_bn9", "extension", "role", "member", "key", "opening", "number")
"""The parts of an address that name what belongs to somebody."""


def addresses_with(known: dict[str, list[Any]]) -> Iterator[str]:
    """Every address that can be made of routes that name more than a business."""
    resolver = get_resolver()
    for name in sorted(set(routes())):
        for _template, parts in resolver.reverse_dict.getlist(name)[0][0]:
            if not {*parts} & {*KEYS} or {*parts} - {*known}:
                continue
            for values in product(*(known[part] for part in parts)):
                try:
                    yield reverse(name, kwargs=dict(zip(parts, values, strict=True)))
                except NoReverseMatch:
                    continue


@pytest.mark.asvs("2.2.3", "8.2.2")
@finds(
    instead(
        "delegation.views.employees.readable_requests", lambda access: AccessRequest.objects.all()
    )
)
@finds(
    instead(
        "delegation.views.relationships.readable_requests",
        lambda access: RelationshipRequest.objects.all(),
    )
)
def test_d07_an_address_takes_the_key_of_another_business(world: World) -> None:
    """A key of one firm works under another's address; here it is as absent as one never used."""
    maple, itn, cedar = world.importer("Maple"), world.broker("ITN"), world.broker("Cedar")
    world.employee("Eve", maple, RM0002="editor")
    relationship = world.relationship(maple, itn, programs=("RM0002",))
    assigned = world.assign("Ben", itn, maple)
    eve = Membership.objects.get(person__first_name="Eve")
    role = ProgramRole.objects.get(user=eve.person)
    keys = [
        world.access_request("Nadia", maple).pk, world.relationship_request(itn, maple).pk,
        relationship.pk, assigned.pk, eve.pk,
    ]  # fmt: skip
    known = {
        "client_bn9": [maple.bn9], "extension": ["RM0002"], "pk": keys, "role": [role.pk],
        "number": [declare(world.program(maple, "RM0002"), world.at).number],
    }  # fmt: skip

    stranger = as_(world.manager(cedar))
    pages = list(addresses_with({"bn9": [cedar.bn9]} | known))
    assert len(pages) > 80
    for page in pages:
        for method in rules_of(resolve(page).func):
            assert stranger.generic(method, page).status_code == 404, f"{method} {page}"
    opened = set()
    for firm in (maple, itn):
        browser = as_(world.manager(firm))
        for page in addresses_with({"bn9": [firm.bn9]} | known):
            here = {key for key in keys if str(key) in page}
            if here - opened and browser.get(page).status_code in (200, 405):
                opened |= here
    assert opened == set(keys)


@pytest.mark.asvs("8.3.1")
@finds(instead("delegation.services.employees.can_grant_role", lambda *_: True))
@finds(instead("delegation.services.rights.can_end_membership", lambda *_: True))
@finds(instead("delegation.access.may", lambda role, action: True))
def test_d08_a_rule_lives_in_the_page_alone(world: World) -> None:
    """A hidden button is the only guard; here each post is judged, and the act itself once more."""
    maple, itn = world.importer("Maple"), world.broker("ITN")
    world.relationship(maple, itn, rules=EVERYTHING)
    rea, ed, pam = (
        world.employee(name, maple, RM0001=role)
        for name, role in (("Rea", "reader"), ("Ed", "editor"), ("Pam", "pam"))
    )
    ben, hana = world.assign("Ben", itn, maple, Ceiling.READER).person, world.member("Hana", itn)
    asked = world.access_request("Nadia", maple, RM0001="editor")
    record = declare(world.program(maple), world.at)
    approve = address("access_request_approve", maple, pk=asked.pk)
    everything = {"version": "1", "scope": "business", "confirm": "yes"}
    dearer = correction(record, 1, duty_1="100.00")

    for person, page, form, status in (
        (rea, url("correction_create", maple, record), dearer, 403),
        (ben, url("correction_create", itn, record), dearer, 403),
        (ed, approve, everything, 403),
        (pam, approve, everything, 422),
        (hana, address("relationship_request_create", itn), {"client_bn9": maple.bn9}, 403),
    ):
        assert as_(person).post(page, form).status_code == status, f"{person}: {page}"
    grants = Grants(make_bam=True)
    left = Membership.objects.get(person=pam)
    by = {"acting_for": maple, "at": world.at}
    assert codes(
        approve_access_request(
            actor=pam, access_request=asked, grants=grants, expected_version=1, **by
        ),
        end_membership(actor=ed, membership=left, reason="Out", **by),
    ) == ["above_own_right", "not_allowed"]
    assert DeclarationVersion.objects.count() == 1
    assert not Membership.objects.filter(person=asked.person).exists()


@finds(
    instead(
        "delegation.access.assigned_to",
        lambda people, provider, at: Q(provider=provider) & during(at),
    )
)
@finds(instead("delegation.access.Access.assigned", lambda self, column: Q()))
def test_d11_the_whole_firm_gets_the_client(world: World) -> None:
    """Whoever works for a firm sees its clients; here only who is assigned learns that they are."""
    maple, itn = world.importer("Maple Zebrawood"), world.broker("ITN")
    world.relationship(maple, itn, rules=EVERYTHING)
    record = declare(world.program(maple), world.at)
    ben, hana = world.assign("Ben", itn, maple).person, world.employee("Hana", itn, RM0001="pam")
    search = f"{address('client_list', itn)}?name=Zebrawood"
    names = [
        address("business_home", itn), address("client_list", itn), search,
        url("declaration_list", itn), f"{url('declaration_list', itn)}?number={record.number}",
    ]  # fmt: skip
    hidden = [address("client_detail", itn, client_bn9=maple.bn9)]
    hidden.append(url("declaration_detail", itn, record))

    def meets(person: User) -> list[bool]:
        answers = [as_(person).get(page) for page in (*names, *hidden)]
        return ["Zebrawood" in words(one).replace("name=Zebrawood", "") for one in answers]

    assert sum(meets(ben)) >= 5
    assert [as_(hana).get(page).status_code for page in hidden] == [404, 404]
    for page in (*names[:2], *names[3:], *hidden):
        assert "Zebrawood" not in as_(hana).get(page).content.decode(), page
    assert as_(hana).get(search).context["clients"] == []


@finds(
    instead(
        "delegation.services.relationships.can_approve_relationship_request",
        lambda access, asked: list(asked.lines.all()),
    )
)
@finds(instead("delegation.services.rights.can_end_membership", lambda *_: True))
def test_d12_a_firm_widens_what_let_it_in(world: World) -> None:
    """A firm that manages for its client decides about itself; here only the client's own do."""
    maple, itn, other = world.importer("Maple"), world.broker("ITN"), world.broker("Other")
    world.relationship(
        maple, itn, level="business", covers_future=True, ceiling=Ceiling.PAM, rules=EVERYTHING
    )
    lead = world.manager(itn)
    more, rival = (world.relationship_request(firm, maple) for firm in (itn, other))
    for asked in (more, rival):
        for verb in ("approve", "reject"):
            page = address(f"relationship_request_{verb}", maple, pk=asked.pk)
            assert as_(lead).post(page, answers(confirm="yes", reason="No")).status_code == 404

    agreement = Agreement(
        level="program", programs=frozenset([world.program(maple).pk]), ceiling=Ceiling.PAM,
        rules=EVERYTHING, last_day=(world.at + timedelta(days=900)).date(),
    )  # fmt: skip
    manager = Membership.objects.get(person=world.manager(maple))
    outcomes = []
    for firm in (maple, itn):
        by = {"actor": lead, "acting_for": firm, "at": world.at}
        decide = {"expected_version": 1, **by}
        outcomes += codes(
            approve_relationship_request(relationship_request=more, agreement=agreement, **decide),
            reject_relationship_request(relationship_request=rival, reason="No", **decide),
            end_membership(membership=manager, reason="Out", **by),
        )
    assert outcomes == ["not_allowed"] * 6


def with_archived_groups(people: Any, provider: int, at: Any) -> Q:
    by_group = Q(employee_group__members__person__in=people)
    return Q(provider=provider) & during(at) & (Q(person__in=people) | by_group)


@finds(instead("delegation.access.Access._active", lambda *_: True))
@finds(instead("delegation.access.assigned_to", with_archived_groups))
@finds(
    instead(
        "django.contrib.auth.backends.ModelBackend.user_can_authenticate", lambda self, user: True
    )
)
def test_d14_who_was_put_away_still_passes(world: World) -> None:
    """A closed firm, an archived group, a disabled person go on acting; here none of them does."""
    maple, itn = world.importer("Maple"), world.broker("ITN")
    world.relationship(maple, itn, rules=EVERYTHING)
    record = declare(world.program(maple), world.at)
    lead = {"actor": world.manager(itn), "acting_for": itn, "at": world.at}
    ben, gwen = world.assign("Ben", itn, maple).person, world.member("Gwen", itn)
    team = done(create_employee_group(name="Team", **lead))
    done(add_employees_to_group(group=team, people=[gwen], **lead))
    done(create_staff_assignment(assignee=team, target=maple, role=Ceiling.EDITOR, **lead))

    def statuses() -> list[int]:
        pages = (
            (world.manager(maple), url("correction_create", maple, record)),
            (ben, url("correction_create", itn, record)),
            (gwen, url("correction_create", itn, record)),
            (world.manager(itn), address("relationship_request_create", itn)),
        )
        return [as_(person).get(page).status_code for person, page in pages]

    assert statuses() == [200, 200, 200, 200]
    for firm, expected in ((maple, [403, 403, 403, 200]), (itn, [200, 403, 403, 403])):
        for status in ("suspended", "closed"):
            BusinessAccount.objects.filter(pk=firm.pk).update(status=status)
            assert statuses() == expected
        BusinessAccount.objects.filter(pk=firm.pk).update(status="active")
    team.archived_at = world.at
    team.save()
    browser = as_(ben)
    assert browser.get(url("declaration_list", itn)).status_code == 200
    User.objects.filter(pk=ben.pk).update(is_active=False)
    assert browser.get(url("declaration_list", itn)).status_code == 302
    assert statuses() == [200, 302, 404, 200]


def links(response: HttpResponse) -> set[str]:
    """Where a page leads, but for itself in the other language."""
    anchors = re.findall(r"<a [^>]*>", response.content.decode())
    found = [re.search(r'href="([^"#]+)"', one) for one in anchors if "hreflang" not in one]
    return {one[1] for one in found if one}


def back_to_itself(request: HttpRequest, *_: Any, status: int) -> HttpResponse:
    return HttpResponse(f'<a href="{request.path}">Try again</a>', status=status)


@finds(instead("ccp.views.render", back_to_itself))
def test_d21_a_refusal_leads_to_another_refusal(world: World) -> None:
    """A refusal sends on to what is refused too; here each of its links opens for who reads it."""
    maple, itn = world.importer("Maple"), world.broker("ITN")
    world.relationship(maple, itn, rules=Rules(importer=Visibility.VIEW))
    record = declare(world.program(maple), world.at)
    rea, sue = (world.employee(name, maple, RM0001="reader") for name in ("Rea", "Sue"))
    Membership.objects.filter(person=sue).update(suspended_at=world.at)
    lapsed = world.earlier(days=61).access_request("Nadia", maple)
    refused = (
        (rea, address("employee_list", maple), 403),
        (rea, url("correction_create", maple, record), 403),
        (sue, address("business_home", maple), 403),
        (world.assign("Ben", itn, maple).person, url("correction_create", itn, record), 403),
        (world.member("Hana", itn), address("relationship_request_create", itn), 403),
        (world.person("Liam"), address("business_home", maple), 404),
        (world.manager(maple), address("access_request_reject", maple, pk=lapsed.pk), 409),
    )
    for person, page, status in refused:
        browser = as_(person)
        answer = (browser.post if status == 409 else browser.get)(page, {"version": 1})
        assert answer.status_code == status, page
        assert links(answer), page
        for link in links(answer):
            assert browser.get(link, follow=True).status_code == 200, f"{page}: {link}"


def whoever_is_staff(bn9: str, at: Any) -> list[User]:
    return list(User.objects.filter(Q(is_staff=True) | Q(memberships__business__bn9=bn9)))


@finds(instead("delegation.services.roles.managers_of", whoever_is_staff))
@finds(instead("delegation.services.digests.managers_of", whoever_is_staff))
def test_d23_a_stranger_is_offered_as_approver(world: World) -> None:
    """Somebody unknown to a firm is asked to decide; here only its own managers of today are."""
    maple, itn = world.importer("Maple"), world.broker("ITN")
    olga = officer(world, "Olga")
    root = world.person("Root")
    User.objects.filter(pk=root.pk).update(is_staff=True, is_superuser=True)
    for name in ("Ana", "Bo"):
        world.employee(name, maple)
    User.objects.filter(first_name="Ana").update(is_active=False)
    Membership.objects.filter(person__first_name="Bo").update(suspended_at=world.at)
    world.employee("Ed", maple, RM0001="editor")
    Notice.objects.all().delete()

    asked, offered = world.access_request("Nadia", maple), world.relationship_request(itn, maple)
    tell_what_waits(at=world.at)

    told = Notice.objects.values_list("address", flat=True)
    assert [*told] == [world.manager(maple).email] * 2
    root.refresh_from_db()
    for name, waiting in (("access", asked), ("relationship", offered)):
        page = address(f"{name}_request_approve", maple, pk=waiting.pk)
        for stranger in (root, olga):
            assert as_(stranger).post(page, answers(confirm="yes")).status_code == 404


def money_of_moderate_size(amount: Decimal) -> str:
    if abs(amount) > 10**9:
        raise ValueError("too large")
    return money(amount)


@finds(instead("transactions.rows.money", money_of_moderate_size))
@finds(there_is("declaration_export"))
def test_d24_one_odd_row_spoils_the_rest(world: World) -> None:
    """One row that cannot be written breaks them all; here each is written, the odd ones too."""
    maple = world.importer('=Maple & "Sons" <b>\u202e')
    odd: list[dict[str, Any]] = [
        {}, {"vendor": "=1+1,\"'\t"}, {"vendor": ""}, {"vendor": "ﬀ\u0301\u200b" * 9},
        {"lines": ({"value_for_duty": MOST, "description": "<script>"},)},
        {"lines": ({"quantity": Decimal("0"), "description": ""},)},
    ]  # fmt: skip
    every = {declare(world.program(maple), world.at, **facts).number for facts in odd}
    browser = Client(raise_request_exception=False)
    browser.force_login(world.manager(maple))
    for language in ("en-ca", "fr-ca"):
        listed = browser.get(url("declaration_list", maple, language=language))
        assert listed.status_code == 200
        assert {number[:14] for number in rows(listed)} == every
        for one in Declaration.objects.select_related("program", "owner"):
            assert browser.get(url("declaration_detail", maple, one, language)).status_code == 200
    firm = world.broker("ITN")
    world.relationship(maple, firm)
    for page in ("client_export", "relationship_request_export"):
        answer: Any = as_(world.manager(firm)).get(address(page, firm))
        written = b"".join(answer.streaming_content).decode("utf-8-sig")
        cells = [cell for row in csv.reader(written.splitlines()) for cell in row]
        assert any(maple.bn9 in re.sub(r"\D", "", cell) for cell in cells), page
        assert not any(cell.startswith("=") for cell in cells), page
    assert not named("declaration_export"), "It exists: now test D24 with it for real"
