"""A query that is kept answers as one that is built, whoever is asked about and when."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from delegation import prepared
from delegation.models import Membership
from tests.world import World

pytestmark = pytest.mark.django_db


def memberships(
    people: Collection[int], businesses: Collection[int], at: datetime
) -> QuerySet[Any, Any]:
    rows = Membership.objects.filter(
        person__in=people, business__in=businesses, starts_at__lte=at
    ).order_by("person")
    return rows.values_list("person_id", "business_id", "starts_at")


def test_a_kept_query_answers_about_whoever_is_asked(
    world: World, django_assert_num_queries: type[CaptureQueriesContext]
) -> None:
    maple, oak = world.importer("Maple"), world.importer("Oak")
    ana, eve = world.employee("Ana", maple), world.employee("Eve", oak)
    for people, businesses in (
        ([ana.pk], [maple.pk]),
        ([eve.pk], [oak.pk]),
        ([eve.pk], [maple.pk]),
        ([ana.pk, eve.pk], [oak.pk, maple.pk]),
        ([eve.pk, ana.pk], [maple.pk, oak.pk]),
    ):
        for at in (world.at, world.earlier(days=1).at):
            with django_assert_num_queries(1):
                found = list(prepared.rows(memberships, people, businesses, at))
            assert found == list(memberships(people, businesses, at))
    assert list(prepared.rows(memberships, [ana.pk], [maple.pk], world.at))


def test_nobody_costs_no_query(django_assert_num_queries: type[CaptureQueriesContext]) -> None:
    with django_assert_num_queries(0):
        assert not list(prepared.rows(memberships, [], [1], datetime.max.replace(tzinfo=UTC)))


def test_a_query_that_forgets_what_it_is_given_is_refused(world: World) -> None:
    def of_everybody(*given: Any) -> QuerySet[Any, Any]:
        return memberships([1], given[1], given[2])

    with pytest.raises(ValueError, match="conditions"):
        list(prepared.rows(of_everybody, [1], [1], world.at))
