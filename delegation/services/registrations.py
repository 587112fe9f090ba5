"""The first Business Account Manager of a business."""

from datetime import datetime

from accounts.models import User
from businesses.models import BusinessAccount
from delegation.services import locks
from delegation.services import roles as role_service


def found_business(*, person: User, business: BusinessAccount, at: datetime) -> None:
    """Make the person who registered a business its first BAM, within the registration's act."""
    locks.lock_rights(business)
    membership = role_service.join(person=person, business=business, at=at)
    role_service.note_use(membership=membership, at=at)
    role_service.grant_business_role(person=person, business=business, granted_by=None, at=at)
