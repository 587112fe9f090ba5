"""Successors as tests need them: named, and with a claim that waits."""

from accounts.models import User
from businesses.models import BusinessAccount
from delegation.models import Succession
from delegation.services.continuity import claim_succession, nominate_successor
from tests.world import World, done


def named(world: World, business: BusinessAccount, person: User) -> Succession:
    """The person is named as successor by the manager of the business."""
    boss = {"actor": world.manager(business), "acting_for": business, "at": world.at}
    return done(nominate_successor(person=person, **boss))


def claimed(world: World, business: BusinessAccount, person: User) -> Succession:
    """The person is named and claims at once."""
    row = named(world, business, person)
    mine = {"actor": person, "acting_for": business, "at": world.at}
    about = {"succession": row, "reason": "Nobody is left.", "expected_version": row.version}
    return done(claim_succession(**about, **mine))
