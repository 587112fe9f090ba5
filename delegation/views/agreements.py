"""What a form of terms gives, as the services take it."""

from collections.abc import Collection

from businesses.models import BusinessAccount
from delegation.access import Access
from delegation.forms.relationships import AgreementForm
from delegation.models import Ceiling, Level, RelationshipOffer, RelationshipTerms, Visibility
from delegation.openings import chosen, offered, openings
from delegation.relationships import managed_programs
from delegation.roles import Action
from delegation.services.agreements import Agreement, Rules
from delegation.terms import RIGHTS, Words


def opened_by(
    access: Access, form: AgreementForm, provider: BusinessAccount | None
) -> dict[str, str]:
    """Beside each visibility rule, what it opens now on the program accounts of the form."""
    named = form["programs"].value() or []
    is_whole = "level" in form.fields and form["level"].value() == Level.BUSINESS
    if is_whole and form["covers_future"].value():
        return offered(openings(provider, managed_programs(access)))
    programs = access.programs(Action.MANAGE_RELATIONSHIPS)
    return offered(
        openings(provider, [one for one in programs if is_whole or one.extension in named])
    )


def opened_as_chosen(
    access: Access, agreement: Agreement, provider: BusinessAccount | None
) -> list[tuple[Words, str]]:
    """What the rules of an agreement open now, for its preview.

    It is told and not sealed: declarations come in all the time.
    """
    every, named = managed_programs(access), agreement.programs
    # What covers the program accounts opened later covers all, those that are closed too.
    programs = [one for one in every if agreement.covers_future or one.pk in named]
    return chosen(openings(provider, programs), agreement.rules.columns())


def rights_of(terms: Collection[RelationshipTerms]) -> list[str]:
    """The rights that all of the terms give, by name; of no terms, what is usual."""
    return (
        [name for name in RIGHTS if all(getattr(row, name) for row in terms)]
        if terms
        else ["may_submit"]
    )


def rights_in_words(agreement: Agreement | RelationshipOffer) -> list[str]:
    """What an agreement gives besides its rules."""
    return [str(label) for name, label in RIGHTS.items() if getattr(agreement, name)]


def agreement_from(access: Access, form: AgreementForm | None) -> Agreement:
    """What the form gives; nothing where the person had no form to decide with."""
    if form is None:
        return Agreement(Level.PROGRAM, frozenset(), Ceiling.READER, Rules(), last_day=None)
    answers = form.cleaned_data
    level = Level(answers.get("level", Level.PROGRAM))
    is_open = answers["end"] == form.OPEN
    rights = answers["rights"]
    return Agreement(
        level=level,
        programs=frozenset(
            program.pk
            for program in access.programs(Action.MANAGE_RELATIONSHIPS)
            if level is Level.BUSINESS or program.extension in answers["programs"]
        ),
        ceiling=Ceiling(answers["ceiling"]),
        rules=Rules(
            Visibility(answers["visibility_broker"]),
            Visibility(answers["visibility_importer"]),
            Visibility(answers["visibility_other"]),
        ),
        last_day=None if is_open else answers["last_day"],
        covers_future=answers.get("covers_future", False),
        open_end_reason=answers["open_end_reason"] if is_open else "",
        may_submit="may_submit" in rights,
        may_pay="may_pay" in rights,
        may_see_amounts="may_see_amounts" in rights,
        consent_version=form.TEXT,
    )
