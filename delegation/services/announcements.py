"""What everybody around a business must learn at once, lest something happens behind its back."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from accounts.letters import key_of
from accounts.models import User
from businesses.models import BusinessAccount
from businesses.register import get_register
from delegation.services.roles import managers_of
from notices.services import notify


def announce(
    *,
    key: str,
    template: str,
    business: BusinessAccount,
    also: Iterable[User],
    context: Mapping[str, object],
    at: datetime,
    on_file: bool = True,
) -> None:
    """Write to every manager, to the people in `also`, and to every address on file if `on_file`.

    `template` names two mails: to a person, and in both languages to an address. Addresses on file
    are those of the register and of the account.
    """
    known = {**context, "business": business}
    for person in {one.pk: one for one in (*managers_of(business.bn9, at), *also)}.values():
        notify(
            key=f"{key}:{person.pk}",
            template=f"delegation/email/{template}.txt",
            recipient=person,
            context=known,
        )
    if not on_file:
        return
    entity = get_register().find(business.bn9)
    kept = [*(entity.emails if entity else ()), business.email]
    for address in dict.fromkeys(filter(None, kept)):
        notify(
            key=f"{key}:{key_of(address)}",
            template=f"delegation/email/{template}_on_file.txt",
            address=address,
            context=known,
        )
