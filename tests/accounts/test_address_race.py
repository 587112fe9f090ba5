"""Somebody proves an address in the instant in which another frees it of whoever never came."""

from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.sign_in import TIME_TO_PROVE, free_address
from tests.accounts.people import PASSWORD, code_in
from tests.waiting import until_somebody_waits_for_a_lock

SIGN_UP, CONFIRM = "/en-ca/account/signup/", "/en-ca/account/confirm-email/"
ADDRESS = "bo@example.ca"


def free() -> None:
    try:
        free_address(ADDRESS)
    finally:
        connection.close()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_locked", [True, False], ids=["held", "without the lock"])
def test_whoever_proves_an_address_in_that_instant_keeps_it(
    client: Client, mailoutbox: list[EmailMessage], monkeypatch: Any, is_locked: bool
) -> None:
    """The second case is the control: proved without the lock, the person is gone."""
    client.post(SIGN_UP, {"email": ADDRESS, "password1": PASSWORD, "password2": PASSWORD})
    User.objects.update(date_joined=timezone.now() - TIME_TO_PROVE - timedelta(minutes=1))
    if not is_locked:
        monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **named: rows)
    other = Thread(target=free)
    with transaction.atomic():
        if is_locked:
            assert client.post(CONFIRM, {"code": code_in(mailoutbox)}).status_code == 302
        else:
            EmailAddress.objects.update(verified=True)
        other.start()
        until_somebody_waits_for_a_lock()
    other.join()
    assert User.objects.filter(email=ADDRESS).exists() is is_locked
