"""Officers never decide on behalf of a business, whatever they look at (invariant 14)."""

from functools import partial
from inspect import signature

import pytest
from django.db import transaction

from audit.services import Refusal
from officers.services.lookups import open_lookup
from tests.delegation.test_faults import ACTS, Scene
from tests.officers.people import officer
from tests.world import World, done


@pytest.mark.once
def test_every_service_refuses_an_officer(world: World) -> None:
    scene, olga, refused = Scene(world), officer(world, "Olga"), set()
    for business in (scene.maple, scene.north):
        done(open_lookup(actor=olga, bn9=business.bn9, purpose="Audit 7", at=world.at))
    known = dict(world.people)
    for service, prepare in ACTS.items():
        if "acting_for" not in signature(service).parameters:
            continue
        with transaction.atomic():
            act = prepare(scene)
            assert isinstance(act, partial)
            answer = partial(act, actor=olga)()
            # What does many things at once answers with one for each; what concerns the own alone
            # finds nothing of an officer and says so.
            answers = answer if isinstance(answer, list) else [answer]
            assert all(isinstance(one, Refusal) or one is False for one in answers), (
                service.__name__
            )
            assert answers
            refused.add(service.__name__)
            transaction.set_rollback(True)
        world.people = dict(known)
    assert len(refused) >= 28
