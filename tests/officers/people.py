"""Officers and businesses without a manager, as these tests need them."""

from accounts.models import OfficerRole, User
from accounts.services import grant_officer_role
from businesses.models import BusinessAccount
from delegation.models import RecoveryRequest
from delegation.services.recovery import create_recovery_request
from officers.models import AccountRecovery
from officers.services.people import propose_account_recovery
from tests.world import World, done

EVERY_KIND = tuple(OfficerRole.Kind)


def officer(world: World, name: str, *kinds: OfficerRole.Kind) -> User:
    """An officer of the agency, for everything where no kind is named."""
    person = world.person(name)
    for kind in kinds or EVERY_KIND:
        done(grant_officer_role(person=person, kind=kind, given_by="Root", at=world.at))
    return person


def headless(world: World, name: str) -> BusinessAccount:
    """A business whose only manager lost the user account, with Eve as Reader."""
    business = world.importer(name)
    world.employee(f"{name} Eve", business, RM0001="reader")
    User.objects.filter(pk=world.manager(business).pk).update(is_active=False)
    return business


def account_recovery_proposed(world: World, by: User, person: User) -> AccountRecovery:
    """An officer proposes to recover the account of somebody who signed in an hour ago."""
    User.objects.filter(pk=person.pk).update(last_login=world.earlier(hours=1).at)
    about = {"email": "new@example.test", "finding": "Passport seen.", "at": world.at}
    return done(propose_account_recovery(actor=by, person=person, **about))


def recovery_asked(world: World, business: BusinessAccount) -> RecoveryRequest:
    """Eve asks for the recovery of a business."""
    eve = world.person(f"{business.legal_name} Eve")
    about = {"bn9": business.bn9, "statement": "Our only manager died."}
    return done(create_recovery_request(actor=eve, at=world.at, **about))
