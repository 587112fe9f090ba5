"""Each class of data has its demands, each demand its tests, each secret a way of being kept."""

import re
from importlib import import_module

import pytest
from allauth.socialaccount import app_settings as identity_settings
from django.conf import settings

from ccp.protection import CLASSES, PROTECTED, SECRETS
from tests import house

pytestmark = pytest.mark.once

PAGE = (house.ROOT / "docs" / "security.md").read_text()
[PART] = re.findall(r"^## Classes of data$(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL)
ROWS = dict(re.findall(r"^\| (\w+) (\|.*\|)$", PART, re.MULTILINE))


@pytest.mark.asvs("14.1.2")
def test_each_class_says_what_it_demands_and_what_holds_it() -> None:
    assert {*ROWS} - {"class"} == {*CLASSES}
    for name, row in ROWS.items():
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert all(cells[:4]) and (cells[4] or name == "public"), name
    named = re.findall(r"`(tests/[\w/]+)\.py::(\w+)`", PART)
    assert len(named) > 10
    for module, test in named:
        assert callable(getattr(import_module(module.replace("/", ".")), test)), test


def test_each_secret_is_kept_in_one_way() -> None:
    secrets = [
        f"{record}.{name}" for record, fields in PROTECTED.items() for name in fields["secret"]
    ]
    said = [name for names in SECRETS.values() for name in names.split()]
    assert sorted(said) == sorted(secrets)


def test_what_is_never_written_is_not() -> None:
    """Tokens of providers are not kept, providers stand in settings alone, codes are no links."""
    assert not identity_settings.STORE_TOKENS
    assert settings.ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED
