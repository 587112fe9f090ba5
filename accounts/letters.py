"""What a person is told by mail of a change in how they sign in."""

import hashlib
from datetime import datetime

from accounts.models import User
from accounts.sign_in import verified_addresses
from notices.services import notify


def tell(*, person: User, key: str, change: str, name: str = "", at: datetime) -> None:
    """To every address that the person has confirmed: the change may be another's."""
    for address in sorted({person.email.lower(), *verified_addresses(person)}):
        notify(
            key=f"{key}:{hashlib.sha256(address.encode()).hexdigest()[:16]}",
            template="accounts/email/sign_in_changed.txt",
            recipient=person,
            address=address,
            context={"change": change, "name": name, "when": at},
        )
