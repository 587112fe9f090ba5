"""Visits to the pages of transactions, and what they say."""

import re
from typing import Any

import html5lib
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from accounts.models import User
from businesses.models import BusinessAccount
from transactions.models import Declaration

NAMESPACE = "{http://www.w3.org/1999/xhtml}"


def visitor(person: User) -> Client:
    """A browser in which the person is signed in."""
    client = Client()
    client.force_login(person)
    return client


def url(
    name: str,
    acting_for: BusinessAccount,
    declaration: Declaration | None = None,
    language: str = "en-ca",
) -> str:
    """The address of a page, acting for a business; of a client's where the owner is another."""
    kwargs = {"bn9": acting_for.bn9}
    if declaration is not None:
        kwargs |= {"extension": declaration.program.extension, "number": declaration.number}
        if declaration.owner_id != acting_for.pk:
            name, kwargs["client_bn9"] = f"client_{name}", declaration.owner.bn9
    with override(language):
        return reverse(name, kwargs=kwargs)


def words(response: HttpResponse, part: str = "main") -> str:
    """The running text of a part of the page, spaces made single."""
    tree = html5lib.parse(response.content.decode())
    found = (text for one in tree.iter(f"{NAMESPACE}{part}") for text in one.itertext())
    return re.sub(r" (?=[.,])", "", " ".join(" ".join(found).split()))


def rows(response: HttpResponse) -> list[str]:
    """The transaction numbers of a list, in its order."""
    tree = html5lib.parse(response.content.decode())
    heads = tree.iterfind(f".//{NAMESPACE}tbody/{NAMESPACE}tr/{NAMESPACE}th/{NAMESPACE}a")
    return ["".join(head.itertext()) for head in heads]


def correction(declaration: Declaration, expected: int, **changes: Any) -> dict[str, Any]:
    """What the form of a correction posts: the lines of a version, but for the changes."""
    lines = declaration.versions.get(number=expected).lines.all()
    names = ("hs_code", "origin", "value_for_duty", "duty", "sima", "excise", "gst")
    posted = {f"{name}_{line.number}": getattr(line, name) for line in lines for name in names}
    about = {
        "expected_version": expected,
        "reason_code": "value",
        "remarks": "The invoice was wrong.",
    }
    return {**posted, **about, **changes}
