"""Requests by file, as a manager of a service provider sees them."""

import csv
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from businesses.models import BusinessAccount
from delegation.models import RelationshipRequest, RequestBatch
from tests.delegation.reading import as_, queries, words
from tests.world import World, next_bn9

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def itn(world: World) -> BusinessAccount:
    """A customs broker of long standing."""
    return world.earlier(days=600).broker("ITN")


@pytest.fixture
def lead(world: World, itn: BusinessAccount) -> Client:
    """ITN's manager, signed in."""
    return as_(world.manager(itn))


def url(name: str, firm: BusinessAccount, **kwargs: Any) -> str:
    return reverse(name, kwargs={"bn9": firm.bn9, **kwargs})


def upload(browser: Client, firm: BusinessAccount, text: str, **more: Any) -> Any:
    file = SimpleUploadedFile("clients.csv", text.encode())
    return browser.post(url("request_batch_create", firm), {"file": file, **more})


def table(response: Any) -> list[list[str]]:
    text = b"".join(response).decode("utf-8-sig")
    return list(csv.reader(StringIO(text), delimiter=";" if '";"' in text else ","))


def test_a_file_is_checked_corrected_confirmed_and_sent(
    world: World, maple: BusinessAccount, itn: BusinessAccount, lead: Client
) -> None:
    template = table(lead.get(url("request_batch_template", itn)))
    assert template[0][:3] == ["Business number", "Level", "Program accounts"]
    rows = f"{maple.bn9},program,RM0001\n{next_bn9()},,\n123456789,=1+1,\n"

    checked = upload(lead, itn, ",".join(template[0][:3]) + "\n" + rows)
    page = lead.get(checked.url)

    assert RelationshipRequest.objects.count() == 0
    assert "The file is checked. Nothing has been sent yet." in words(page)
    assert f"2 requests can be sent for ITN, {itn.bn_shown}" in words(page)
    assert "4 123456789 To correct Business number: " in words(page)
    pk = RequestBatch.objects.get().pk
    errors = table(lead.get(url("request_batch_errors", itn, pk=pk)))
    assert errors[0][:3] == ["Row", "Problem", "Business number"]
    assert errors[1][0] == "4" and errors[1][3] == "'=1+1"

    key = {"form_key": str(uuid4())}
    sent = [lead.post(url("request_batch_send", itn, pk=pk), key) for _ in range(2)]

    assert [answer.status_code for answer in sent] == [302, 302]
    assert RelationshipRequest.objects.count() == 2
    done = words(lead.get(checked.url))
    assert "The file is done." in done and "Sent 2" in done
    assert "2 requests of the file have been sent." in done


def test_a_file_goes_on_by_itself_only_after_its_button(
    itn: BusinessAccount, lead: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("delegation.services.batches.A_PART", 1)
    rows = "\n".join(next_bn9() for _ in range(3))
    checked = upload(lead, itn, f"Business number\n{rows}\n")
    going = checked.url + "?going=on"
    assert "data-goes-on" not in lead.get(going).content.decode()

    answer = lead.post(url("request_batch_send", itn, pk=RequestBatch.objects.get().pk))

    assert answer.url == going
    page = lead.get(going)
    assert "data-goes-on" in page.content.decode() and "1 of 3 rows are done." in words(page)
    assert "data-goes-on" not in lead.get(checked.url).content.decode()


def test_what_is_no_table_is_refused_in_words(
    itn: BusinessAccount, lead: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text, said in [
        ("", "The file is empty."),
        ("Comment\nHello", "These are missing: Business number."),
        ("Business number\n" + "1\n" * 5001, "more than 5,000 rows"),
        ("PK\x03\x04", "not readable as text"),
    ]:
        answer = upload(lead, itn, text)
        assert answer.status_code == 422
        assert said in words(answer)
    assert "Choose a file." in words(lead.post(url("request_batch_create", itn)))
    monkeypatch.setattr("delegation.views.request_batches.MOST_BYTES", 1)
    assert "larger than" in words(upload(lead, itn, "Business number\n1"))
    monkeypatch.undo()
    settings.REQUEST_FILES_A_DAY = 0
    limited = upload(lead, itn, f"Business number\n{next_bn9()}")
    assert limited.status_code == 429 and limited["Retry-After"]
    assert not RequestBatch.objects.exists()


def test_another_file_from_the_same_form_is_another_file(
    itn: BusinessAccount, lead: Client
) -> None:
    key = {"form_key": str(uuid4())}
    first = upload(lead, itn, f"Business number\n{next_bn9()}", **key)
    text = f"Business number\n{next_bn9()}"

    second, again = (upload(lead, itn, text, **key) for _ in range(2))

    assert first.url != second.url == again.url
    assert RequestBatch.objects.count() == 2


def test_a_long_file_is_paged_and_costs_the_same(itn: BusinessAccount, lead: Client) -> None:
    short = upload(lead, itn, "Business number\n1\n2\n").url
    long = upload(lead, itn, "Business number\n" + "1\n" * 60).url
    assert queries(lead, short) == queries(lead, long)

    page = lead.get(long)

    assert len(page.context["rows"]) == 25
    further = lead.get(long, {"after": page.context["page"].next_token})
    assert [row.number for row, _state, _said in further.context["rows"]][0] == 27


def test_the_export_is_the_list_of_the_page(
    world: World, maple: BusinessAccount, itn: BusinessAccount, lead: Client
) -> None:
    """In each language, safe to open, and not a row more."""
    world.earlier(days=400).relationship_request(itn, next_bn9())
    world.relationship_request(itn, maple, comment="=HYPERLINK(1)")
    world.relationship_request(world.broker("Cedar"), maple)
    shown = lead.get(url("relationship_request_list", itn)).context["requests"]

    exported = table(lead.get(url("relationship_request_export", itn)))[1:]

    assert [row[0] for row in exported] == [one.bn for one in shown]
    assert [row[1] for row in exported] == [", ".join(one.asked) for one in shown]
    assert [row[8] for row in exported] == [str(one.state.label) for one in shown]
    assert exported[0][6] == "'=HYPERLINK(1)"
    french = lead.get(url("relationship_request_export", itn).replace("/en-ca/", "/fr-ca/"))
    assert table(french)[0][0] == "Numéro d’entreprise"
