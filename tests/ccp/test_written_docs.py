"""The pages of `docs/` that come from the code say what the code says."""

from pathlib import Path

import pytest
from django.core.management import call_command

from ccp.management.commands import write_docs
from ccp.written_docs import DOCS, PAGES, stale, written
from delegation.roles import TABLE, Action, Role

pytestmark = pytest.mark.once


@pytest.mark.asvs("8.1.1", "8.1.2")
def test_the_pages_are_those_of_the_code() -> None:
    assert stale(DOCS) == []


def test_who_may_approve_a_request_of_a_broker_is_found_at_a_glance() -> None:
    [line] = [
        one
        for one in written()["permissions.md"].splitlines()
        if one.startswith("| `can_approve_relationship_request`")
    ]
    assert "A BAM of the client decides every line of a request" in line
    assert "`POST relationship_request_approve`" in line
    assert "| pending | approved, rejected, withdrawn |" in written()["states.md"]


def test_a_stale_page_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The control: another table, a page changed by hand, a page that is missing."""
    monkeypatch.setattr(write_docs, "DOCS", tmp_path)
    call_command("write_docs")
    call_command("write_docs", "--check")
    (tmp_path / "routes.md").write_text("By hand.")
    (tmp_path / "states.md").unlink()
    (tmp_path / "protection.md").write_text("")
    monkeypatch.setitem(TABLE, Role.READER, TABLE[Role.READER] | {Action.PAY})
    with pytest.raises(SystemExit) as left:
        call_command("write_docs", "--check")

    assert left.value.code == 1
    said = capsys.readouterr().err
    assert all(f"docs/{name} is stale" in said for name in PAGES)
