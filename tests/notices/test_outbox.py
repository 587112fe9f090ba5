"""Each notice is written once, in its reader's language, sent after the commit, and never lost."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from io import StringIO
from smtplib import SMTPRecipientsRefused, SMTPSenderRefused
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from accounts.models import Language, PersonalProfile, User
from notices.links import absolute
from notices.models import Notice
from notices.services import Sent, notify, send, send_due
from pages.formats import moment

TEMPLATES = {
    "waiting.txt": (
        "{% load i18n notices pages %}Subject: {% translate 'French' %}  waits\n\n"
        "{{ name }}: {% portal_url 'profile_detail' %} {{ at|moment }}\n\n"
    ),
    "without_subject.txt": "A mail\n",
    "secret.txt": "Subject: A link\n\nOpen {{ secret }}\n",
}


@pytest.fixture(autouse=True)
def templates(settings: Any) -> None:
    """Templates of these tests only."""
    (engine,) = settings.TEMPLATES
    options = engine["OPTIONS"] | {
        "loaders": [("django.template.loaders.locmem.Loader", TEMPLATES)],
        "libraries": {},
    }
    settings.TEMPLATES = [{**engine, "APP_DIRS": False, "OPTIONS": options}]


@pytest.fixture
def person(db: None) -> User:
    return User.objects.create(email="rene@example.ca", language=Language.FRENCH)


@pytest.fixture
def post(person: User, at: datetime) -> Any:
    """Write a notice to the person, in a transaction of its own."""

    def write(key: str = "a", **changes: Any) -> None:
        said: dict[str, Any] = {
            "template": "waiting.txt",
            "recipient": person,
            "context": {"name": "D’Or & <Fils>", "at": at},
        }
        with transaction.atomic():
            notify(key=key, **(said | changes))

    return write


@pytest.fixture
def committing(django_capture_on_commit_callbacks: Any) -> Any:
    """Within this context what waits for a commit is done at its end."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


class MailIsDown:
    """A mail server that refuses everything."""

    def send_messages(self, messages: list[EmailMessage]) -> int:
        raise ConnectionRefusedError("no server")


@pytest.fixture
def mail_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "django.core.mail.handler.MailersHandler.__getitem__", lambda *_: MailIsDown()
    )


def test_a_notice_is_sent_after_the_commit(
    post: Any, committing: Any, mailoutbox: list[EmailMessage]
) -> None:
    with committing():
        post()
        assert not mailoutbox
    (mail,) = mailoutbox
    notice = Notice.objects.get()
    assert notice.sent_at is not None
    assert (notice.attempts, notice.last_error) == (1, "")
    assert mail.to == ["rene@example.ca"]
    assert mail.extra_headers["Auto-Submitted"] == "auto-generated"
    assert mail.extra_headers["Message-ID"] == f"<notice-{notice.pk}@localhost>"


def test_a_mail_is_in_the_language_of_its_reader(
    post: Any, committing: Any, mailoutbox: list[EmailMessage], settings: Any, at: datetime
) -> None:
    settings.PORTAL_URL = "https://portal.example"
    with committing():
        post()
    (mail,) = mailoutbox
    assert mail.subject == "Français waits"
    assert mail.extra_headers["Content-Language"] == "fr-ca"
    with override("fr-ca"):
        when = moment(at)
    assert mail.body == f"D’Or & <Fils>: https://portal.example/fr-ca/profile/ {when}\n"


def test_a_bare_address_gets_a_mail_in_the_language_asked_for(
    post: Any, committing: Any, mailoutbox: list[EmailMessage]
) -> None:
    with committing():
        post(recipient=None, address="office@example.ca", language="en-ca")
        post("b", recipient=None, address="office@example.ca")
    assert [mail.to for mail in mailoutbox] == [["office@example.ca"]] * 2
    assert [mail.subject for mail in mailoutbox] == ["French waits"] * 2


def test_a_notice_needs_somebody_and_a_subject(post: Any) -> None:
    with pytest.raises(ValueError, match="recipient or an address"):
        post(recipient=None)
    with pytest.raises(ValueError, match="must begin with"):
        post(template="without_subject.txt")
    assert not Notice.objects.exists()


def test_a_key_is_used_once(post: Any, committing: Any, mailoutbox: list[EmailMessage]) -> None:
    for _ in range(2):
        with committing():
            post()
            post()
    assert len(mailoutbox) == Notice.objects.count() == 1


def test_a_notice_goes_with_its_act(
    post: Any, committing: Any, mailoutbox: list[EmailMessage]
) -> None:
    with committing(), pytest.raises(ZeroDivisionError), transaction.atomic():
        post()
        raise ZeroDivisionError
    assert not Notice.objects.exists()
    assert not mailoutbox


def test_an_optional_notice_respects_the_choice_of_its_reader(
    person: User, post: Any, at: datetime
) -> None:
    profile = PersonalProfile.objects.create(
        user=person, telephone="613-555-0123", notify_by_email=False, created_at=at
    )
    post("a", optional=True)
    assert not Notice.objects.exists()
    post("b")
    profile.notify_by_email = True
    profile.save()
    person.refresh_from_db()
    post("c", optional=True)
    assert set(Notice.objects.values_list("key", flat=True)) == {"b", "c"}


@pytest.mark.usefixtures("mail_is_down")
def test_a_failure_stays_in_the_outbox_and_breaks_nothing(post: Any, committing: Any) -> None:
    with committing():
        post()
    notice = Notice.objects.get()
    assert notice.sent_at is None
    assert (notice.attempts, notice.last_error) == (1, "ConnectionRefusedError")
    with pytest.raises(CommandError, match="1 of 1 notices could not be sent"):
        call_command("send_due_notices")
    notice.refresh_from_db()
    assert notice.attempts == 2


@pytest.mark.parametrize(
    ("failure", "kept"),
    [
        (SMTPRecipientsRefused({"a@b.ca": (550, b"no a@b.ca")}), "SMTPRecipientsRefused 550"),
        (SMTPSenderRefused(553, b"not for a@b.ca", "x@y.ca"), "SMTPSenderRefused 553"),
        (TimeoutError("to a@b.ca"), "TimeoutError"),
    ],
    ids=lambda one: type(one).__name__,
)
def test_what_is_kept_of_a_failure_names_no_address(
    failure: Exception, kept: str, post: Any, committing: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(EmailMessage, "send", refuses)
    with committing():
        post()
    assert Notice.objects.get().last_error == kept


@pytest.mark.asvs("16.5.2")
def test_what_failed_is_sent_later_and_once(post: Any, mailoutbox: list[EmailMessage]) -> None:
    for key in ("a", "b", "c"):
        post(key)
    Notice.objects.filter(key="a").update(attempts=3, last_error="timed out")
    output = StringIO()
    call_command("send_due_notices", stdout=output)
    assert output.getvalue() == "3 notices sent.\n"
    keys = [mail.extra_headers["Message-ID"] for mail in mailoutbox]
    last = Notice.objects.get(key="a")
    assert keys[-1] == f"<notice-{last.pk}@localhost>"
    assert (last.attempts, last.last_error) == (4, "")
    assert send_due() == Sent(0, 0)
    assert send("a") is False
    assert len(mailoutbox) == 3


@pytest.mark.postgres
def test_a_notice_that_is_being_sent_elsewhere_is_skipped(post: Any) -> None:
    post()
    with CaptureQueriesContext(connection) as queries:
        send("a")
    assert any("FOR UPDATE SKIP LOCKED" in query["sql"] for query in queries)


def test_links_come_from_the_setting(settings: Any) -> None:
    settings.PORTAL_URL = "https://portal.example"
    assert absolute("/en-ca/") == "https://portal.example/en-ca/"


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_send_a_notice_once(post: Any, mailoutbox: list[EmailMessage]) -> None:
    post()
    Notice.objects.update(sent_at=None)
    mailoutbox.clear()

    def work(_: int) -> None:
        try:
            send("a")
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert len(mailoutbox) == 1
    assert Notice.objects.get().attempts == 2


@pytest.mark.asvs("14.2.4")
def test_a_secret_stands_in_the_mail_alone(
    person: User, post: Any, committing: Any, mail_is_down: None, monkeypatch: pytest.MonkeyPatch,
    mailoutbox: list[EmailMessage],
) -> None:  # fmt: skip
    """The outbox keeps it enciphered until the mail is sent, however late, and then forgets it."""
    with committing():
        post(template="secret.txt", secret="ab-12")
    waiting = Notice.objects.get()
    assert waiting.attempts == 1 and waiting.sealed
    assert "ab-12" not in f"{waiting.body}{waiting.sealed}{waiting.last_error}"

    monkeypatch.undo()
    assert send_due() == Sent(1, 0)

    assert "Open ab-12" in mailoutbox[0].body
    sent = Notice.objects.get()
    assert sent.sealed == "" and "ab-12" not in sent.body
