"""What a person is told by mail of a change in how they sign in."""

import hashlib
from datetime import datetime

from accounts.models import User
from accounts.sign_in import verified_addresses
from notices.services import notify


def addresses_of(person: User) -> list[str]:
    """Every address at which the person is reached: the own one, and what was confirmed."""
    return sorted({person.email.lower(), *verified_addresses(person)})


def key_of(address: str) -> str:
    """What stands for an address in the key of a letter."""
    return hashlib.sha256(address.encode()).hexdigest()[:16]


def tell(*, person: User, key: str, change: str, name: str = "", at: datetime) -> None:
    """To every address that the person has confirmed: the change may be another's."""
    for address in addresses_of(person):
        notify(
            key=f"{key}:{key_of(address)}",
            template="accounts/email/sign_in_changed.txt",
            recipient=person,
            address=address,
            context={"change": change, "name": name, "when": at},
        )
