"""The sample register and its page: they import clean and tell the truth."""

import csv
import re
from collections import Counter
from pathlib import Path

import pytest
from django.conf import settings

from businesses.bn import parse_bn9
from businesses.models import RegisterEntity, RegisterProgram
from businesses.register import LegalEntity, get_register
from businesses.register_file import COLUMNS
from businesses.register_import import import_register

SAMPLES = Path(settings.BASE_DIR) / "docs" / "samples"
SAMPLE = SAMPLES / "register.csv"
PRAIRIE_SUN = "439051277"


@pytest.fixture
def register(db: None) -> None:
    assert not import_register(SAMPLE).errors


def found(bn9: str) -> LegalEntity:
    entity = get_register().find(bn9)
    assert entity is not None
    return entity


def test_the_sample_imports_clean_and_once(register: None) -> None:
    assert RegisterEntity.objects.count() >= 44
    again = import_register(SAMPLE)
    assert not (again.created or again.changed or again.errors)


def test_every_number_has_its_check_digit() -> None:
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        numbers = {row["bn"] for row in csv.DictReader(file)}
    assert len(numbers) >= 44
    assert all(parse_bn9(number) == number for number in numbers)


def test_itn_logistics_is_a_licensed_customs_broker(register: None) -> None:
    itn = found("888316171")
    assert itn.legal_name == "Integral Transportation Networks Corp."
    assert itn.operating_name == "ITN Logistics"
    assert itn.provider_type == "broker"


def test_the_sample_holds_every_kind_of_business(register: None) -> None:
    entities = [found(bn9) for bn9 in RegisterEntity.objects.values_list("bn9", flat=True)]
    providers = Counter(entity.provider_type for entity in entities)
    assert providers["broker"] >= 3
    assert providers["consultant"] == 2
    assert sum(len(entity.programs) > 1 for entity in entities) >= 12
    assert sum(entity.country != "CA" for entity in entities) >= 5
    assert sum(not entity.has_history for entity in entities) >= 3
    assert any(not entity.emails for entity in entities)
    kinds = {
        (bool(entity.transactions), bool(entity.payments), bool(entity.statements))
        for entity in entities
    }
    assert {(True, False, False), (False, True, False), (False, False, True)} <= kinds
    assert {(True, True, True), (False, False, False)} <= kinds
    assert RegisterProgram.objects.filter(kind="exporter").exists()
    assert RegisterProgram.objects.filter(is_open=False).exists()
    assert any(paid.duties_and_taxes == 0 for entity in entities for paid in entity.transactions)


def test_the_importers_of_the_demonstration_are_there(register: None) -> None:
    maple, boreales = found("412703316"), found("426180543")
    assert maple.legal_name == "Maple Ridge Furniture Ltd."
    assert [(program.extension, program.name) for program in maple.programs] == [
        ("RM0001", "Maple Ridge Windows"),
        ("RM0002", "Maple Ridge Doors"),
    ]
    assert boreales.legal_name == "Les Importations Boréales inc."
    assert boreales.region == "QC"
    assert len(boreales.programs) == 2
    assert found("611402835").legal_name == "Courtage Saint-Laurent inc."


def answers() -> dict[str, str]:
    """The answers that the page gives for registering by hand."""
    page = (SAMPLES / "README.md").read_text(encoding="utf-8")
    section = page.split("### Registering a business by hand")[1]
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", section, flags=re.MULTILINE)
    return dict(rows)


def test_the_page_gives_true_answers_for_prairie_sun_foods(register: None) -> None:
    prairie, given = found(PRAIRIE_SUN), answers()
    assert given["Business number, program account"] == "43905 1277, RM 0001"
    assert given["Legal name"] == prairie.legal_name
    for part in (prairie.street, prairie.city, "Saskatchewan", prairie.postal_code):
        assert part in given["Address"]
    first = "RM0001"
    transactions = {
        f"{paid.number}, {paid.duties_and_taxes}"
        for paid in prairie.transactions
        if paid.extension == first
    }
    payments = {f"{p.paid_on}, {p.amount}" for p in prairie.payments if p.extension == first}
    statements = {f"{s.issued_on}, {s.balance}" for s in prairie.statements if s.extension == first}
    assert given["Transaction number, total duties and taxes"] in transactions
    assert given["Payment date, amount"] in payments
    assert given["Statement date, balance"] in statements


def test_the_page_names_every_column_and_true_businesses(register: None) -> None:
    page = (SAMPLES / "README.md").read_text(encoding="utf-8")
    assert [name for name in COLUMNS if f"| `{name}` |" not in page] == []
    named = re.findall(r"^\| (\d{5} \d{4}) \| ([^|]+) \|", page, flags=re.MULTILINE)
    assert len(named) >= 10
    for number, legal_name in named:
        assert found(parse_bn9(number)).legal_name == legal_name
    assert f"{RegisterEntity.objects.count()} legal entities" in page
