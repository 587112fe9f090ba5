"""What is sent as a file: a table or nothing, and never given out as a file again."""

import io
import re
import zipfile
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as portal
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from delegation.models import RequestBatch
from delegation.request_file import MOST_BYTES
from tests import house
from tests.world import World

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("clock")]

KEEPS = re.compile(
    r"\b(FileField|ImageField|FilePathField|FileResponse|default_storage|FileSystemStorage|storages"
    r"|upload_to|chunks|temporary_file_path|django\.views\.static|sendfile)\b|X-Accel-Redirect"
)
"""What keeps a file that was sent, or gives one out."""
HEADER = b"Business number,Level,Program accounts\n"


def packed(name: str, size: int) -> bytes:
    """An archive that is a thousandth of what it holds."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, b"0" * size)
    return made.getvalue()


FILES: dict[str, tuple[str, bytes]] = {
    "a picture with a script": ("a.svg", b'<svg xmlns="x"><script>alert(1)</script></svg>'),
    "a page": ("a.html", b"<!doctype html><script>alert(1)</script>"),
    "a program": ("a.py", b"import os\nos.system('id')\n"),
    "a program named as a table": ("a.csv", b"<?php system($_GET['x']); ?>"),
    "two endings": ("a.csv.php", b"<?php ?>"),
    "a document": ("a.pdf", b"%PDF-1.7\n1 0 obj<</JS(app.alert(1))>>endobj\n%%EOF"),
    "a document and a script": ("a.csv", b"%PDF-1.4\n/*" + HEADER + b"*/alert(1)"),
    "an archive": ("a.zip", packed("a.csv", 10_000_000)),
    "an archive named as a table": ("a.csv", packed("a.csv", 10_000_000)),
    "a spreadsheet": ("a.xlsx", packed("xl/workbook.xml", 1_000_000)),
    "a picture": ("a.csv", b"\x89PNG\r\n\x1a\n" + b"\x00" * 64),
    "no text": ("a.csv", HEADER + b"\x00\x01\x02"),
    "nothing": ("a.csv", b""),
    "too large by one": ("a.csv", HEADER + b" " * (MOST_BYTES - len(HEADER) + 1)),
    "too many rows": ("a.csv", HEADER + b"1,,\n" * 5_001),
}
NAMES = ("../../evil.csv", "/etc/passwd", "C:\\evil.csv", "a\r\nX: 1.csv", "CON", "a" * 90 + ".csv")


@pytest.fixture
def lead(world: World) -> tuple[Client, str]:
    """The manager of a broker, and where its requests are sent as a file."""
    itn, client = world.broker("ITN"), Client()
    client.force_login(world.manager(itn))
    return client, reverse("request_batch_create", kwargs={"bn9": itn.bn9})


def send(lead: tuple[Client, str], name: str, content: bytes, kind: str = "text/csv") -> Any:
    client, page = lead
    return client.post(page, {"file": SimpleUploadedFile(name, content, kind)})


@pytest.mark.asvs("1.3.4", "3.2.1", "5.2.1", "5.2.2", "5.2.3", "5.3.1")
def test_what_is_no_table_is_refused_and_kept_nowhere(lead: tuple[Client, str]) -> None:
    for name, (file, content) in FILES.items():
        for kind in ("text/csv", "image/svg+xml"):
            response = send(lead, file, content, kind)
            assert response.status_code == 422, name
            assert b"alert(1)" not in response.content and b"<?php" not in response.content
    assert not RequestBatch.objects.exists()
    response = send(lead, "a.csv", HEADER + b"412703316,program,RM0001\n")
    assert response.status_code == 302 and RequestBatch.objects.count() == 1, "The control."


@pytest.mark.asvs("5.3.2")
def test_a_name_of_a_file_is_words_and_never_a_place(lead: tuple[Client, str]) -> None:
    for name in NAMES:
        response = send(lead, name, HEADER + b"412703316,program,RM0001\n")
        assert response.status_code in {302, 422}, name
    kept = [*RequestBatch.objects.values_list("name", flat=True)]
    assert kept and not [name for name in kept if {"/", "\\", "\r", "\n", "\x00"} & {*name}]


@pytest.mark.asvs("5.4.1", "5.4.2")
def test_what_is_given_out_has_a_name_of_the_portal_s_own(
    world: World, lead: tuple[Client, str]
) -> None:
    """No name that a visitor sent is in a header; each file is saved and never shown."""
    client, page = lead
    said = 'evil"; filename=x.html\r\nX: 1.csv'
    client.post(page, {"file": SimpleUploadedFile(said, HEADER + b"123456789,x,\n")})
    batch = RequestBatch.objects.get()
    of = {"bn9": batch.provider.bn9}
    for name, more in (
        ("request_batch_template", {}),
        ("relationship_request_export", {}),
        ("request_batch_errors", {"pk": batch.pk}),
        ("client_export", {}),
    ):
        response = client.get(reverse(name, kwargs=of | more), {"filename": said})
        shown = response["Content-Disposition"]
        assert shown.startswith('attachment; filename="') and shown.endswith('.csv"'), name
        assert "evil" not in shown and shown.isprintable() and shown.count('"') == 2
        assert response["Content-Type"].startswith("text/csv; charset=utf-8")
        assert response["X-Content-Type-Options"] == "nosniff" and "X" not in response.headers


def test_no_file_that_was_sent_is_given_out() -> None:
    """Once one is, it must be scanned (ASVS 5.4.3): then this fails, and the table must say how."""
    files = [
        field
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.concrete_fields
        if field.get_internal_type() in {"FileField", "ImageField", "BinaryField"}
    ]
    assert files == [] and not portal.MEDIA_ROOT
    on_purpose = {
        "delegation/forms/batches.py: FileField",  # a form reads a file, and lets it go
        "pages/once.py: chunks",  # the fingerprint of what was posted
        "ccp/settings.py: FileSystemStorage",  # Django asks for one; there is no folder for it
    }
    assert {*house.breaches(KEEPS.findall, house.modules())} - on_purpose == set()
    assert KEEPS.findall("return FileResponse(document.file)") == ["FileResponse"]
