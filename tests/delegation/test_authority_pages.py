"""The written authority: what a mandate must say, the same for both sides and in both languages."""

import re
import zlib
from datetime import date, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils.translation import activate

from businesses.models import BusinessAccount
from delegation.consent import ConsentText, relationship_consent
from delegation.models import Level, Relationship, RelationshipTerms, Visibility
from delegation.services.agreements import Rules
from delegation.services.changes import Narrowing, narrow_relationship
from delegation.services.endings import end_relationship
from delegation.services.view_as import open_view_as
from delegation.terms import fingerprint
from pages import pdf
from tests.delegation.reading import as_, words
from tests.world import World, done

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def mandate(world: World, maple: BusinessAccount, itn: BusinessAccount) -> Relationship:
    return world.relationship(maple, itn, last_day=date(2028, 3, 31))


def of_client(mandate: Relationship) -> str:
    kwargs = {"bn9": mandate.client.bn9, "pk": mandate.pk}
    return reverse("relationship_authority", kwargs=kwargs)


def of_firm(mandate: Relationship) -> str:
    kwargs = {"bn9": mandate.provider.bn9, "client_bn9": mandate.client.bn9}
    return reverse("client_authority", kwargs=kwargs)


def test_it_says_what_the_law_asks_for(world: World, mandate: Relationship) -> None:
    answer = as_(world.manager(mandate.client)).get(of_client(mandate))
    said = words(answer)
    for one in (
        "Maple authorizes ITN to act as its agent",
        f"Business number {mandate.client.bn_shown} {mandate.provider.bn_shown}",
        "1 Wharf Street Halifax NS B3H 1A1 Canada",
        "Kind of business Importer Licensed customs broker",
        "Until the end of March 31, 2028 (Eastern time)",
        "Effective from November 23, 2026",
        f"{mandate.client.bn_shown} RM 0001",
        "At most As an Editor",
        "Submitted by the customs broker View",
        "may not appoint a sub-agent",
        "By my confirmation, I give the named service provider",
        "Maple manager, for Maple, agreed in the portal on November 23, 2026",
        "ITN manager, for ITN, asked in the portal on",
        "Name and title Signature Date",
    ):
        assert one in said, one
    terms = RelationshipTerms.objects.get()
    assert terms.consent_hash_en in said and terms.consent_hash_fr in said
    assert "RM 0002" not in said


def test_both_sides_and_both_languages_show_one_document(
    world: World, mandate: Relationship
) -> None:
    ben = world.assign("Ben", mandate.provider, mandate.client).person
    shown = [
        as_(person).get(address.replace("en-ca", language)).context["authority"]
        for person, address in ((world.manager(mandate.client), of_client(mandate)),
                                (ben, of_firm(mandate)))
        for language in ("en-ca", "fr-ca")
    ]  # fmt: skip
    assert len({(one.number, one.hash, one.entries) for one in shown}) == 1
    activate("en-ca")
    assert "Mandat écrit" in words(as_(ben).get(of_firm(mandate).replace("en-ca", "fr-ca")))
    activate("en-ca")
    for entry, business in zip(shown[0].entries, (mandate.client, mandate.provider), strict=True):
        page = reverse("activity_list", kwargs={"bn9": business.bn9})
        told = words(as_(world.manager(business)).get(page))
        assert f"Entry {entry.number}, {entry.hash[:16]}" in told


def test_another_agreement_is_another_document(
    world: World, mandate: Relationship, clock: Any
) -> None:
    first = as_(world.manager(mandate.client)).get(of_client(mandate)).context["authority"]
    clock.shift(timedelta(days=1))
    boss = as_(world.manager(mandate.client))
    assert boss.get(of_client(mandate)).context["authority"].hash == first.hash
    looked = {"relationship": mandate, "seen_at": None, "at": world.later(hours=1).at}
    done(open_view_as(actor=world.manager(mandate.client), acting_for=mandate.client, **looked))
    assert boss.get(of_client(mandate)).context["authority"].hash == first.hash
    world.later(days=1).relationship(
        mandate.client, mandate.provider, programs=("RM0001", "RM0002"), last_day=date(2029, 1, 1),
        level=Level.PROGRAM,
    )  # fmt: skip
    second = boss.get(of_client(mandate)).context["authority"]
    assert second.number != first.number and second.hash != first.hash
    assert len(second.programs) == 2


def test_what_differs_stands_apart_with_its_own_rights_signature_and_consent(
    world: World, mandate: Relationship, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two program accounts that differ in a right alone, agreed by two people under two texts."""
    ana, later = world.employee("Ana", mandate.client), world.later(days=1)
    more = {"programs": ("RM0002",), "last_day": date(2028, 3, 31), "may_pay": True}
    later.relationship(mandate.client, mandate.provider, **more)
    second = RelationshipTerms.objects.get(program__extension="RM0002")
    kept = {"consent_version": "3", "consent_hash_en": "e" * 64, "consent_hash_fr": "f" * 64}
    RelationshipTerms.objects.filter(pk=second.pk).update(agreed_by=ana, **kept)
    texts = {"2": relationship_consent("2"), "3": ConsentText("3", "New text.", "Neuf.", "", "")}
    monkeypatch.setattr("delegation.authority.relationship_consent", texts.__getitem__)
    clock.shift(timedelta(days=2))

    document = as_(world.manager(mandate.client)).get(of_client(mandate))

    new, old = document.context["authority"].terms
    assert (new.programs, new.rights[1:]) == (("RM 0002 Maple 2",), ("Pay",))
    assert (old.programs, old.rights[1:]) == (("RM 0001 Maple 1",), ())
    assert [one.agreed_by for one in (new, old)] == ["Ana", "Maple manager"]
    said = words(document)
    assert "New text." in said and "e" * 64 in said and texts["2"].en[:40] in said
    assert said.index("Version 3 of the text below") < said.index("Version 2 of the text below")


def test_what_a_firm_gave_back_is_signed_on_the_day_on_which_the_rest_was_agreed(
    world: World, maple: BusinessAccount, itn: BusinessAccount, clock: Any
) -> None:
    wide = {"last_day": date(2028, 3, 31), "rules": Rules(importer=Visibility.EDIT)}
    mandate, later = world.relationship(maple, itn, **wide), world.later(days=1)
    done(
        narrow_relationship(
            actor=world.manager(itn), acting_for=itn, relationship=mandate, at=later.at,
            narrowing=Narrowing(frozenset({"RM0001"}), Rules(importer=Visibility.VIEW)),
            expected_terms=fingerprint(mandate.terms.all()),
        )
    )  # fmt: skip
    clock.shift(timedelta(days=2))
    said = words(as_(world.manager(maple)).get(of_client(mandate)))
    assert "Effective from November 24, 2026" in said
    assert "Maple manager, for Maple, agreed in the portal on November 23, 2026" in said


def test_nobody_gets_a_part_of_it_and_nothing_is_left_at_the_end(
    world: World, mandate: Relationship
) -> None:
    pam = world.employee("Pam", mandate.client, RM0001="pam")
    assert as_(pam).get(of_client(mandate)).status_code == 403
    hana = world.member("Hana", mandate.provider)
    assert as_(hana).get(of_firm(mandate)).status_code == 404
    boss = {"actor": world.manager(mandate.client), "acting_for": mandate.client, "at": world.at}
    form = {"expected_terms": fingerprint(mandate.terms.all()), "reason": "Moved"}
    done(end_relationship(relationship=mandate, **form, **boss))
    assert as_(world.manager(mandate.client)).get(of_client(mandate)).status_code == 404
    assert as_(world.manager(mandate.provider)).get(of_firm(mandate)).status_code == 404


def unpacked(content: bytes) -> bytes:
    """The objects of a PDF, those in compressed streams too."""
    packed = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL)
    found = [content]
    for stream in packed:
        try:
            found.append(zlib.decompress(stream))
        except zlib.error:
            continue
    return b"\n".join(found)


@pytest.mark.skipif(not pdf.is_available(), reason="needs the extra: pdf")
def test_the_pdf_is_tagged_and_knows_its_title_and_language(
    world: World, mandate: Relationship
) -> None:
    boss = as_(world.manager(mandate.client))
    assert "Download as PDF" in words(boss.get(of_client(mandate)))
    answer = boss.get(of_client(mandate).replace("en-ca", "fr-ca"), {"as": "pdf"})
    assert answer.headers["Content-Type"] == "application/pdf"
    inside = unpacked(answer.content)
    assert re.search(rb"/Lang ?\(fr-ca\)", inside)
    assert b"/MarkInfo" in inside and b"/StructTreeRoot" in inside and b"/DisplayDocTitle" in inside
    title = "Mandat écrit".encode("utf-16-be").hex().encode()
    assert title in inside.lower() or "Mandat écrit".encode() in inside


def test_without_the_package_there_is_no_button(
    world: World, mandate: Relationship, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "find_spec", lambda name: None)
    boss = as_(world.manager(mandate.client))
    assert "PDF" not in words(boss.get(of_client(mandate)))
    assert boss.get(of_client(mandate), {"as": "pdf"}).status_code == 404
