"""Entities on file and claims of them, in few words."""

import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts.models import Language, User
from audit.services import Refusal
from businesses.models import (
    RegisterEntity,
    RegisterPayment,
    RegisterProgram,
    RegisterStatement,
    RegisterTransaction,
)
from registration import services
from registration.models import Registration
from registration.steps import Step
from registration.terms import terms_in_force
from tests.world import next_bn9

ENTITY: dict[str, str] = {
    "legal_name": "Prairie Sun Foods Inc.",
    "operating_name": "",
    "street": "3810 Sundial Avenue",
    "city": "Saskatoon",
    "region": "SK",
    "postal_code": "S7P 0B7",
    "country": "CA",
}
TRANSACTION = {
    "transaction_number": "14680006822095",
    "transaction_total": Decimal("3033.25"),
}
PAYMENT = {"payment_on": date(2024, 8, 31), "payment_amount": Decimal("7205.19")}
STATEMENT = {"statement_on": date(2024, 9, 25), "statement_balance": Decimal("18425.38")}
ALL_KINDS = ("transaction", "payment", "statement")
_other_number = count(14690000000000)


def put_on_file(
    bn9: str = "",
    *,
    kinds: Iterable[str] = ALL_KINDS,
    extension: str = "RM0001",
    emails: Iterable[str] = (),
    **changes: str,
) -> str:
    """File Prairie Sun Foods under a number, with one record of each kind; return the number."""
    entity = RegisterEntity.objects.create(
        bn9=bn9 or next_bn9(), emails=list(emails), **(ENTITY | changes)
    )
    add_program(entity.bn9, "RM0001")
    add_program(entity.bn9, "RM0002", name="Prairie Sun Produce")
    add_evidence(entity.bn9, kinds, extension)
    return entity.bn9


def add_program(bn9: str, extension: str, **changes: Any) -> RegisterProgram:
    """File one more program account."""
    return RegisterProgram.objects.create(entity_id=bn9, extension=extension, **changes)


def add_evidence(bn9: str, kinds: Iterable[str], extension: str = "RM0001") -> None:
    """File the records that `TRANSACTION`, `PAYMENT` and `STATEMENT` are right answers about.

    A transaction number exists once, so only the first entity on file has that of `TRANSACTION`.
    """
    about = {"entity_id": bn9, "extension": extension}
    if "transaction" in kinds:
        taken = RegisterTransaction.objects.filter(number=TRANSACTION["transaction_number"])
        RegisterTransaction.objects.create(
            number=next(_other_number) if taken.exists() else TRANSACTION["transaction_number"],
            accounted_on=date(2024, 8, 27),
            duties_and_taxes=Decimal("3033.25"),
            **about,
        )
    if "payment" in kinds:
        RegisterPayment.objects.create(
            paid_on=date(2024, 8, 31), amount=Decimal("7205.19"), **about
        )
    if "statement" in kinds:
        RegisterStatement.objects.create(
            issued_on=date(2024, 9, 25), balance=Decimal("18425.38"), **about
        )


def draft(person: User, bn9: str, at: datetime, /, **changes: Any) -> Registration:
    """A complete draft: Prairie Sun Foods, RM0001, the payment and the statement, but `changes`."""
    started = services.start_registration(actor=person, at=at)
    stated = {"extension": "RM0001"} | ENTITY | PAYMENT | STATEMENT | changes
    saved = services.save_step(
        actor=person,
        registration=started,
        step=Step.REVIEW,
        answers={"bn9": bn9} | stated,
        at=at,
    )
    return services.accept_terms(
        actor=person,
        registration=saved,
        terms=terms_in_force(),
        read_in=Language.ENGLISH,
        at=at,
    )


def submit(person: User, registration: Registration, at: datetime) -> Registration | Refusal:
    """Have a draft judged as it is."""
    return services.submit_registration(
        actor=person,
        registration=registration,
        expected_version=registration.version,
        at=at,
    )


def claim(person: User, bn9: str, at: datetime, /, **changes: Any) -> Registration:
    """A draft, submitted: the registration as it ended."""
    registration = draft(person, bn9, at, **changes)
    submit(person, registration, at)
    registration.refresh_from_db()
    return registration


NO_ANSWERS: dict[str, Any] = {
    "transaction_number": "",
    "transaction_total": None,
    "payment_on": None,
    "payment_amount": None,
    "statement_on": None,
    "statement_balance": None,
}


def step_url(step: Step | str) -> str:
    """The page of a step with a form."""
    return reverse("registration_step", kwargs={"step": str(step)})


POSTED: dict[str, dict[str, str]] = {
    Step.BUSINESS_NUMBER: {"bn9": "", "extension": "RM 0001"},
    Step.LEGAL_ENTITY: ENTITY,
    Step.SECURITY_QUESTIONS: {
        "payment_on": "2024-08-31",
        "payment_amount": "7,205.19",
        "statement_on": "2024-09-25",
        "statement_balance": "18425.38",
    },
    Step.TERMS: {"accepted": "on", "shown": "1"},
}
"""What a person types at each step."""


def fill_in(client: Client, bn9: str, **changes: str) -> None:
    """Walk through every step with a form; `changes` by field."""
    client.post(reverse("registration_start"))
    for step, typed in POSTED.items():
        data = typed | {name: text for name, text in changes.items() if name in typed}
        if step == Step.BUSINESS_NUMBER:
            data["bn9"] = bn9
        response = client.post(step_url(step), data)
        assert response.status_code == 302, response.content.decode()


def send(client: Client, **extra: str) -> HttpResponse:
    """Submit the review page as it is shown now."""
    page = client.get(reverse("registration_review")).content.decode()
    shown = re.search(r'name="version" value="(\d+)"', page)
    return client.post(
        reverse("registration_review"), {"version": shown[1] if shown else ""} | extra
    )
