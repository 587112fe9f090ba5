"""Writing to people: first into the outbox, then by mail, and again until it is sent."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

from cryptography.fernet import MultiFernet
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.template import Context, Engine
from django.utils.translation import override

from notices.models import Notice
from pages.cipher import cipher

log = logging.getLogger(__name__)

SUBJECT = "Subject: "

MARK = "~secret~"
"""What stands in the body of a notice in the place of its secret."""


class Recipient(Protocol):
    """Who is written to: a user, as far as the outbox needs to know one."""

    pk: int
    email: str
    language: str

    @property
    def wants_optional_mail(self) -> bool: ...


@dataclass(frozen=True)
class Letter:
    """A mail to a person, before it is written in that person's language."""

    key: str
    template: str
    recipient: Recipient
    context: Mapping[str, object]


def notify(
    *,
    key: str,
    template: str,
    recipient: Recipient | None = None,
    address: str = "",
    language: str = "",
    context: Mapping[str, object],
    optional: bool = False,
    secret: str = "",
) -> None:
    """Writes one mail into the outbox and sends it once the transaction has committed.

    It goes to a person, in that person's language, or to a bare `address`. A key that was used
    before changes nothing. An `optional` notice is not written to a person who asked for no mail.
    The first line of the template is `Subject: ...`; a subject holds no personal data, because it
    shows on locked screens and in logs. A `secret`, which the template writes as `{{ secret }}`,
    stands in the mail alone: the outbox keeps it enciphered, and only until the mail is sent.
    """
    if recipient:
        if optional and not recipient.wants_optional_mail:
            return
        address, language = address or recipient.email, language or recipient.language
    if not address:
        raise ValueError("A notice needs a recipient or an address.")
    if Notice.objects.filter(key=key).exists():
        return
    language = language or settings.LANGUAGE_CODE
    notice = _written(key, template, language, {**context, "secret": MARK})
    notice.recipient_id, notice.address = recipient.pk if recipient else None, address
    notice.sealed = _cipher().encrypt(secret.encode()).decode() if secret else ""
    Notice.objects.bulk_create([notice], ignore_conflicts=True)
    transaction.on_commit(partial(send, key), robust=True)


def notify_all(letters: Iterable[Letter]) -> None:
    """Writes many mails into the outbox at once, for `send_due` to send: 1 query.

    A key that was used before changes nothing.
    """
    notices = []
    for letter in letters:
        reader = letter.recipient
        notice = _written(letter.key, letter.template, reader.language, letter.context)
        notice.recipient_id, notice.address = reader.pk, reader.email
        notices.append(notice)
    Notice.objects.bulk_create(notices, ignore_conflicts=True)


@transaction.atomic
def send(key: str) -> bool:
    """Sends one notice unless it is sent or being sent; tells whether it remains to be sent.

    The row is locked meanwhile, so that two workers do not both send it. A failure is kept on the
    row and never raised: the act that caused the notice has long been committed.
    """
    notice = (
        Notice.objects.select_for_update(skip_locked=True).filter(key=key, sent_at=None).first()
    )
    if notice is None:
        return False
    try:
        _mail(notice).send(using="default")
    except Exception as error:
        log.warning("Notice %s was not sent: %s", notice.pk, type(error).__name__)
        outcome: dict[str, object] = {"last_error": _why(error)}
    else:
        outcome = {"last_error": "", "sent_at": Now(), "sealed": ""}
    Notice.objects.filter(pk=notice.pk).update(attempts=F("attempts") + 1, **outcome)
    return "sent_at" not in outcome


class Sent(NamedTuple):
    """How many notices were tried and how many of them remain to be sent."""

    tried: int
    remaining: int


def send_due(progress: Callable[[list[str]], Iterable[str]] = iter) -> Sent:
    """Sends every notice that is not sent yet, those that failed least often first.

    Running it twice, late or in two processes at once sends nothing twice.
    """
    keys = list(
        Notice.objects.filter(sent_at=None).order_by("attempts", "pk").values_list("key", flat=True)
    )
    return Sent(len(keys), sum(send(key) for key in progress(keys)))


def _written(key: str, template: str, language: str, context: Mapping[str, object]) -> Notice:
    """A notice to nobody yet."""
    subject, body = _render(template, language, context)
    return Notice(key=key, template=template, language=language, subject=subject, body=body)


def _render(template: str, language: str, context: Mapping[str, object]) -> tuple[str, str]:
    """The subject and the body of a mail: plain text, so nothing is escaped as in a page."""
    with override(language):
        text = (
            Engine.get_default()
            .get_template(template)
            .render(Context(dict(context), autoescape=False))
        )
    first, _, body = text.partition("\n")
    if not first.startswith(SUBJECT):
        raise ValueError(f"{template} must begin with '{SUBJECT}'.")
    return " ".join(first.removeprefix(SUBJECT).split()), body.strip() + "\n"


def _why(error: Exception) -> str:
    """The kind of a failure and the codes of the mail server: what it says may name an address."""
    refused = getattr(error, "recipients", None)
    codes = {getattr(error, "smtp_code", None)}
    codes |= {said[0] for said in refused.values()} if isinstance(refused, dict) else set()
    told = [str(code) for code in sorted(code for code in codes if isinstance(code, int))]
    return " ".join([type(error).__name__, *told])


def _cipher() -> MultiFernet:
    return cipher("notices.secret")


def _mail(notice: Notice) -> EmailMessage:
    """The message of a notice. Its id is always the same, so a mailbox can drop a second copy."""
    body = notice.body
    if notice.sealed:
        body = body.replace(MARK, _cipher().decrypt(notice.sealed).decode())
    return EmailMessage(
        subject=notice.subject,
        body=body,
        to=[notice.address],
        headers={
            "Auto-Submitted": "auto-generated",
            "Content-Language": notice.language,
            "Message-ID": f"<notice-{notice.pk}@{urlsplit(settings.PORTAL_URL).hostname}>",
        },
    )
