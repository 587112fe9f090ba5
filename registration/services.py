"""Register My Business: the draft, the one judgement, and what follows from it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.letters import key_of
from accounts.models import Language, User
from audit.services import Refusal, business_chain, person_chain, record, refuse
from businesses.bn import show_bn9
from businesses.models import BusinessAccount
from businesses.register import LegalEntity, get_register
from businesses.services import open_business
from delegation.services.registrations import found_business
from notices.services import notify
from pages.formats import start_of_day
from registration.evidence import judge
from registration.models import (
    ACCEPTANCE,
    ENTERED,
    ENTITY,
    KEPT,
    TRANSITIONS,
    Attempt,
    ClaimedNumber,
    Outcome,
    Registration,
    ReviewRequest,
    blank,
)
from registration.steps import Step, next_step
from registration.terms import Terms
from registration.tries import tries


@transaction.atomic
def start_registration(
    *, actor: User, at: datetime, again: Registration | None = None
) -> Registration:
    """The person's open draft, begun now where there is none, or none that is still kept.

    A new one takes over what the closed registration `again` said of the business, and the terms
    accepted then; not its answers, which are gone.
    """
    kept = ("bn9", "extension", *ENTITY, *ACCEPTANCE) if again else ()
    begun = {"started_at": at, "updated_at": at} | {name: getattr(again, name) for name in kept}
    draft, is_new = Registration.objects.get_or_create(person=actor, outcome="", defaults=begun)
    draft = draft if is_new else _lock(draft, actor, at)
    is_past = draft.is_past(at)
    if is_past:
        for name, value in begun.items():
            setattr(draft, name, value)
        _touch(draft, at)
    if is_new or is_past:
        record(verb="registration.start", **_about(actor, draft, at))
    return draft


@transaction.atomic
def save_step(
    *,
    actor: User,
    registration: Registration,
    step: Step,
    answers: Mapping[str, Any],
    at: datetime,
) -> Registration:
    """Keep what the person entered in one step: values by column. A closed one stays as it is."""
    draft = _lock(registration, actor, at)
    if draft.outcome:
        return draft
    for name, value in answers.items():
        setattr(draft, name, value)
    _touch(draft, at)
    record(verb="registration.edit", after={"step": step}, **_about(actor, draft, at))
    return draft


@transaction.atomic
def accept_terms(
    *, actor: User, registration: Registration, terms: Terms, read_in: Language, at: datetime
) -> Registration:
    """Keep which terms the person accepted, in which language they were read, and when."""
    draft = _lock(registration, actor, at)
    if draft.outcome:
        return draft
    draft.terms_version = terms.version
    draft.terms_hash_en, draft.terms_hash_fr = terms.hash_en, terms.hash_fr
    draft.terms_language = read_in
    draft.terms_accepted_at = at
    _touch(draft, at)
    record(verb="registration.accept_terms", after=_acceptance(draft), **_about(actor, draft, at))
    return draft


@transaction.atomic
def submit_registration(
    *, actor: User, registration: Registration, expected_version: int, at: datetime
) -> Registration | Refusal:
    """Judge a complete draft, once, and register the business if the claim is proven.

    `expected_version` is the version that the review page showed. Whatever does not succeed costs
    the same work and ends in the same refusal, `not_matched`; `locked` says that no try was left,
    `changed` and `incomplete` that nothing was tried. The try is counted first, under a lock that
    one claim of a business number holds at a time, in the transaction of the judgement: where it
    cannot be counted nothing is judged, and where the judgement cannot end nobody learns of it. A
    registration that is closed is returned as it is.
    """
    draft = _lock(registration, actor, at)
    if draft.outcome:
        return draft
    problem = _why_not_submittable(draft, expected_version)
    if problem:
        return _refuse(actor, draft, at, *problem)
    if not _count_try(draft, actor, at):
        return _end(draft, actor, at, Outcome.LOCKED, "locked", NO_TRIES)
    entity = get_register().find(draft.bn9)
    is_registered = BusinessAccount.objects.filter(bn9=draft.bn9).exists()
    verdict = judge(draft, entity, is_registered=is_registered)
    draft.evidence = list(verdict.right)
    business = _open(entity, at) if entity and verdict.is_proven else None
    if entity is None or business is None:
        return _end(draft, actor, at, Outcome.FAILED, "not_matched", NOT_MATCHED)
    return _register(draft, entity, business, actor, at)


def forget_drafts(*, at: datetime) -> int:
    """Empty every draft past its last day, and say how many; one statement, late or twice.

    The rows stay, without anything that was entered: the site deletes no record.
    """
    first_day = start_of_day(timezone.localdate(at) - KEPT)
    past = Registration.objects.filter(outcome="", updated_at__lt=first_day).exclude(bn9="")
    return past.update(version=F("version") + 1, **blank(ENTERED))


@transaction.atomic
def request_review(
    *, actor: User, registration: Registration, note: str, at: datetime
) -> ReviewRequest | Refusal:
    """Ask the agency to look at a registration that did not succeed; once per business number."""
    locked = _lock(registration, actor, at)
    verb = "registration.request_review"
    if Outcome.IN_REVIEW not in TRANSITIONS[locked.outcome]:
        return _refuse(actor, locked, at, "wrong_state", NOT_REVIEWABLE, verb)
    review = ReviewRequest(registration=locked, person=actor, bn9=locked.bn9, note=note, at=at)
    try:
        with transaction.atomic():
            review.save(force_insert=True)
    except IntegrityError:
        return _refuse(actor, locked, at, "already_waiting", ALREADY_WAITING, verb)
    locked.outcome = Outcome.IN_REVIEW
    locked.save()
    record(verb=verb, **_about(actor, locked, at))
    return review


@transaction.atomic
def decline_second_manager(
    *, actor: User, registration: Registration, at: datetime
) -> Registration:
    """Keep that the first manager names no second one yet. Saying so again changes nothing."""
    locked = _lock(registration, actor, at)
    if locked.outcome != Outcome.REGISTERED or locked.second_manager_declined_at:
        return locked
    locked.second_manager_declined_at = at
    locked.save()
    record(
        verb="registration.decline_second_manager",
        acting_for=locked.bn9,
        **_about(actor, locked, at, business_chain(locked.bn9)),
    )
    return locked


NOT_MATCHED = _("We could not register this business.")
NO_TRIES = _("No tries are left for this business number at the moment.")
CHANGED = _(
    "Your answers changed in another window since you opened this page. Nothing was submitted. "
    "Check them again, then submit."
)
INCOMPLETE = _("Some answers are missing. Nothing was submitted.")
NOT_REVIEWABLE = _("This registration cannot be reviewed. Nothing was changed.")
ALREADY_WAITING = _("A request of yours for this business number already waits for a review.")


def _lock(registration: Registration, actor: User, at: datetime) -> Registration:
    """The registration as it is now, held until the transaction ends; only the person's own.

    A draft past its last day is empty, whether or not it has been emptied.
    """
    rows = Registration.objects.select_for_update(no_key=True)
    found = rows.get(pk=registration.pk, person=actor)
    if found.is_past(at):
        found.forget()
    return found


def _touch(draft: Registration, at: datetime) -> None:
    draft.updated_at = at
    draft.version += 1
    draft.save()


def _why_not_submittable(draft: Registration, expected_version: int) -> tuple[str, Promise] | None:
    if next_step(draft) is not Step.REVIEW:
        return "incomplete", INCOMPLETE
    if draft.version != expected_version:
        return "changed", CHANGED
    return None


def _count_try(draft: Registration, actor: User, at: datetime) -> bool:
    """Take one try from those left, and say whether there was one.

    Holds the row of the business number until the transaction ends.
    """
    ClaimedNumber.objects.bulk_create([ClaimedNumber(bn9=draft.bn9)], ignore_conflicts=True)
    number = ClaimedNumber.objects.select_for_update(no_key=True).get(pk=draft.bn9)
    if not tries(actor, draft.bn9, at).left:
        return False
    Attempt.objects.create(registration=draft, number=number, person=actor, at=at)
    return True


def _open(entity: LegalEntity, at: datetime) -> BusinessAccount | None:
    """The business account, or nothing where somebody opened it in the same instant."""
    try:
        with transaction.atomic():
            return open_business(entity=entity, at=at)
    except IntegrityError:
        return None


def _end(
    draft: Registration,
    actor: User,
    at: datetime,
    outcome: Outcome,
    code: str,
    message: Promise,
) -> Refusal:
    """Close a draft that did not succeed."""
    draft.close(outcome, at)
    draft.save()
    return _refuse(actor, draft, at, code, message)


def _register(
    draft: Registration,
    entity: LegalEntity,
    business: BusinessAccount,
    actor: User,
    at: datetime,
) -> Registration:
    """Make the person the first manager, write history, and tell everybody who should know."""
    draft.business = business
    draft.close(Outcome.REGISTERED, at)
    draft.save()
    found_business(person=actor, business=business, at=at)
    _tell(draft, entity, actor)
    record(
        verb="registration.register",
        acting_for=business.bn9,
        after={
            "legal_name": business.legal_name,
            "programs": [program.extension for program in entity.programs],
            "terms": _acceptance(draft),
        },
        **_about(actor, draft, at, business_chain(business.bn9)),
    )
    return draft


def _tell(draft: Registration, entity: LegalEntity, actor: User) -> None:
    """Write to the person, and to every address that the register has for the business."""
    context = {"registration": draft, "business": draft.business, "person": actor}
    notify(
        key=f"registration_registered:{draft.pk}",
        template="registration/email/registered.txt",
        recipient=actor,
        context=context,
    )
    for address in dict.fromkeys(entity.emails):
        notify(
            key=f"business_registered:{draft.pk}:{key_of(address)}",
            template="registration/email/business_registered.txt",
            address=address,
            context=context,
        )


def _acceptance(draft: Registration) -> dict[str, object]:
    names = ("terms_version", "terms_hash_en", "terms_hash_fr", "terms_language")
    return {name: getattr(draft, name) for name in names}


def _refuse(
    actor: User,
    draft: Registration,
    at: datetime,
    code: str,
    message: Promise,
    verb: str = "registration.submit",
) -> Refusal:
    return refuse(code=code, message=message, verb=verb, **_about(actor, draft, at))


def _about(actor: User, draft: Registration, at: datetime, *more_chains: str) -> dict[str, Any]:
    """The part of a history event that every act on a registration shares.

    A claim stands in the person's own chain; only a success also in that of the business.
    """
    return {
        "at": at,
        "actor": actor,
        "chains": [person_chain(actor), *more_chains],
        "object_type": "registration",
        "object_id": draft.pk,
        "object_label": show_bn9(draft.bn9) if draft.bn9 else "",
        "path": "own",
    }
