"""The sample declarations: they import, fit the register, and show what the portal is about."""

from collections import Counter
from pathlib import Path

import pytest
from django.conf import settings

from businesses.models import RegisterTransaction
from businesses.register import get_register
from businesses.register_import import import_register
from businesses.services import open_business
from tests.world import World
from transactions.declaration_file import COLUMNS
from transactions.declaration_import import import_declarations
from transactions.models import Declaration, DeclarationLine, DeclarationVersion

SAMPLES = Path(settings.BASE_DIR) / "docs" / "samples"
MAPLE, BOREALES, PRAIRIE = "412703316", "426180543", "439051277"
ITN, SAINT_LAURENT = "888316171", "611402835"


@pytest.fixture(autouse=True)
def imported(world: World) -> None:
    """The sample businesses registered, and both files imported."""
    import_register(SAMPLES / "register.csv")
    for bn9 in (MAPLE, BOREALES, PRAIRIE, ITN, SAINT_LAURENT):
        entity = get_register().find(bn9)
        assert entity is not None
        open_business(entity=entity, at=world.at)
    for name in ("declarations.csv", "declarations-prairie-sun.csv"):
        outcome = import_declarations(path=SAMPLES / name, at=world.at)
        assert outcome.errors == []


def test_the_samples_show_what_the_portal_is_about() -> None:
    by_owner = Counter(Declaration.objects.values_list("owner__bn9", flat=True))
    assert by_owner == {MAPLE: 57, BOREALES: 60, PRAIRIE: 35}
    assert Counter(Declaration.objects.values_list("latest_number", flat=True))[3] >= 5
    submitters = DeclarationVersion.objects.values_list("owner__bn9", "submitter__bn9").distinct()
    assert set(submitters) == {
        (MAPLE, MAPLE),
        (MAPLE, ITN),
        (MAPLE, SAINT_LAURENT),
        (BOREALES, BOREALES),
        (BOREALES, ITN),
        (BOREALES, SAINT_LAURENT),
        (PRAIRIE, PRAIRIE),
        (PRAIRIE, ITN),
    }
    days = DeclarationVersion.objects.dates("submitted_at", "month")
    assert (days[0].isoformat(), days.last().isoformat()) == ("2025-06-01", "2026-11-01")
    lines = DeclarationLine.objects
    assert lines.filter(sima__gt=0).exists() and lines.filter(excise__gt=0).exists()
    assert DeclarationVersion.objects.filter(total=0).exists()


def test_declarations_on_register_have_the_amount_that_it_gives_them() -> None:
    accounted = RegisterTransaction.objects.filter(entity__in=[MAPLE, BOREALES, PRAIRIE])
    declared = {
        version.declaration.number: (version.owner.bn9, version.submitted_at.date(), version.total)
        for version in DeclarationVersion.objects.filter(number=1).select_related(
            "declaration", "owner"
        )
    }

    assert accounted.count() > 60
    for one in accounted:
        expected = (one.entity_id, one.accounted_on, one.duties_and_taxes)
        assert declared[one.number] == expected


def test_some_changes_are_hidden_from_the_broker_that_came_first() -> None:
    """Else nobody would meet "changed by another party"."""
    first = DeclarationVersion.objects.filter(number=1, submitter__bn9=SAINT_LAURENT)
    changed = [
        version
        for version in first.select_related("declaration")
        if version.declaration.versions.exclude(submitter=version.submitter).exists()
    ]

    assert len(changed) >= 3


def test_every_column_is_described() -> None:
    page = (SAMPLES / "README.md").read_text(encoding="utf-8").split("## Declarations")[1]

    for column in COLUMNS:
        assert f"`{column}`" in page
