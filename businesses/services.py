"""What happens to business and program accounts."""

from datetime import datetime

from django.db import transaction

from audit.services import business_chain, record
from businesses.models import BusinessAccount, ProgramAccount, RegisterEntity
from businesses.register import EntityProgram, LegalEntity


@transaction.atomic
def open_business(*, entity: LegalEntity, at: datetime) -> BusinessAccount:
    """Open an active business account from the register, with all its program accounts.

    The caller holds the right and writes the history.

    Raises `IntegrityError` if the number has an account already: of several claims one wins.
    """
    business = account_of(entity)
    business.save(force_insert=True)
    ProgramAccount.objects.bulk_create(
        _program(business, program, at) for program in entity.programs
    )
    return business


def account_of(entity: LegalEntity | RegisterEntity) -> BusinessAccount:
    """The active account of a legal entity as the register has it; not saved."""
    return BusinessAccount(
        bn9=entity.bn9,
        legal_name=entity.legal_name,
        operating_name=entity.operating_name,
        street=entity.street,
        city=entity.city,
        region=entity.region,
        postal_code=entity.postal_code,
        country=entity.country,
        email=next(iter(entity.emails), ""),
        provider_type=entity.provider_type,
        status=BusinessAccount.Status.ACTIVE,
    )


@transaction.atomic
def link_new_programs(
    *, business: BusinessAccount, entity: LegalEntity, at: datetime
) -> list[ProgramAccount]:
    """Add the program accounts that the register has gained, by extension; the system acts.

    Those already here keep their names and dates. Raises `ValueError` if the entity is another.
    """
    if entity.bn9 != business.bn9:
        raise ValueError("The register entity is not this business.")
    locked = BusinessAccount.objects.select_for_update(no_key=True).get(pk=business.pk)
    linked = set(locked.programs.values_list("extension", flat=True))
    gained = ProgramAccount.objects.bulk_create(
        _program(locked, program, at)
        for program in sorted(entity.programs, key=lambda program: program.extension)
        if program.extension not in linked
    )
    for program in gained:
        record(
            verb="program_account.link",
            at=at,
            actor=None,
            acting_for=business.bn9,
            chains={business_chain(business.bn9)},
            object_type="program_account",
            object_id=program.pk,
            object_label=program.bn15_shown,
        )
    return gained


def _program(business: BusinessAccount, program: EntityProgram, at: datetime) -> ProgramAccount:
    return ProgramAccount(
        business=business,
        extension=program.extension,
        name=program.name,
        kind=program.kind,
        opened_at=at,
        closed_at=None if program.is_open else at,
    )
