"""On PostgreSQL the site signs in as a role that can add to history and never change it."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.sign_in import free_address
from audit.chain import verify
from audit.models import Chain, Event
from ccp.site_role import ALL, FORGOTTEN, INSERT_ONLY, READ_ONLY, history_is_out_of_reach, rights
from delegation.models import Relationship
from delegation.services.groups import create_employee_group
from tests import house
from tests.transactions.factories import declare
from tests.world import World, done


def run(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture
def role(db: None) -> Iterator[str]:
    """A role of the site; the test acts as the owner until it takes it."""
    name = f"site_of_{connection.settings_dict['NAME']}"
    run(f"CREATE ROLE {name}")
    call_command("grant_site_role", name, verbosity=0)
    yield name
    run("RESET ROLE")


@pytest.mark.asvs("13.2.1", "13.2.2")
@pytest.mark.postgres
@pytest.mark.usefixtures("clock")
def test_the_site_works_as_its_role(world: World, role: str) -> None:
    """Pages are read, and a relationship is asked for and agreed, with both histories."""
    maple, itn = world.importer("Maple"), world.broker("ITN")
    declare(world.program(maple), world.at)
    visitor = Client()
    visitor.force_login(world.manager(maple))

    run(f"SET LOCAL ROLE {role}")
    world.relationship(maple, itn)
    for name in ("business_home", "relationship_list", "declaration_list", "activity_list"):
        assert visitor.get(reverse(name, kwargs={"bn9": maple.bn9})).status_code == 200

    assert Relationship.objects.count() == 1
    assert Event.objects.filter(verb="relationship_request.approve").count() == 2
    assert all(verify(chain.key) is None for chain in Chain.objects.all())


CHANGES = [
    "UPDATE {} SET id = id",
    "DELETE FROM {}",
    "TRUNCATE {} CASCADE",
    "ALTER TABLE {} DISABLE TRIGGER ALL",
    "DROP TABLE {} CASCADE",
]
TABLES = [model._meta.db_table for model in INSERT_ONLY]


@pytest.mark.asvs("13.2.2", "16.4.2")
@pytest.mark.postgres
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("table", TABLES)
def test_what_never_changes_is_out_of_reach(role: str, table: str, change: str) -> None:
    run(f"SET LOCAL ROLE {role}")

    with pytest.raises(ProgrammingError, match="permission denied|must be owner"):
        run(change.format(table))


@pytest.mark.postgres
@pytest.mark.parametrize("table", TABLES)
def test_the_owner_could(role: str, table: str) -> None:
    """The control: what keeps the site away is its role."""
    for change in CHANGES[2:]:
        run(change.format(table))


@pytest.mark.postgres
def test_no_record_is_deleted(world: World, role: str) -> None:
    world.importer("Maple")
    run(f"SET LOCAL ROLE {role}")

    deletable = {table for table, allowed in rights(connection).items() if allowed == ALL}
    assert not {table for table in deletable if table.startswith(("delegation", "businesses_b"))}
    for table in ("businesses_businessaccount", "delegation_membership", "accounts_user"):
        with pytest.raises(ProgrammingError, match="permission denied"):
            run(CHANGES[1].format(table))


def deleted(source: str) -> set[str]:
    """The records that a source deletes by name: `SpentToken.objects.filter(...).delete()`."""
    return set(re.findall(r"\b([A-Z]\w+)\.objects\b[^\n]*\.delete\(\)", source))


def test_what_the_code_deletes_the_site_may_delete() -> None:
    """What the portal forgets by itself it must be allowed to forget, or the page fails."""
    ours = {one.__name__ for one in apps.get_models() if one._meta.app_label in house.ROOMS}
    named = {name for path in house.modules() for name in deleted(house.read(path))} & ours
    assert {"Submission", "SpentToken"} <= named <= {model.__name__ for model in FORGOTTEN}


@pytest.mark.postgres
def test_the_site_forgets_what_is_spent(role: str) -> None:
    run(f"SET LOCAL ROLE {role}")
    for model in FORGOTTEN:
        model._default_manager.all().delete()


@pytest.mark.postgres
def test_the_site_forgets_who_never_came(role: str) -> None:
    """Nothing of them is left but a number, and the address is free; the row itself stays."""
    person = User.objects.create_user("ada@example.ca", first_name="Ada")
    User.objects.update(date_joined=timezone.now() - timedelta(hours=1))
    EmailAddress.objects.create(user=person, email=person.email, primary=True)
    SocialAccount.objects.create(user=person, provider="gckey", uid="x")

    run(f"SET LOCAL ROLE {role}")
    free_address("ada@example.ca")

    left = User.objects.get()
    assert (left.pk, left.first_name, left.is_active) == (person.pk, "", False)
    assert left.email.endswith("@forgotten.invalid") and "ada" not in left.email
    assert not (EmailAddress.objects.exists() or SocialAccount.objects.exists())


@pytest.mark.postgres
@pytest.mark.parametrize("change", ["INSERT INTO {} DEFAULT VALUES", *CHANGES[:2]])
@pytest.mark.parametrize("table", [model._meta.db_table for model in READ_ONLY])
def test_what_a_right_is_called_is_out_of_reach(role: str, table: str, change: str) -> None:
    run(f"SET LOCAL ROLE {role}")

    run(f"TABLE {table}")
    with pytest.raises(ProgrammingError, match="permission denied"):
        run(change.format(table))


@pytest.mark.postgres
def test_an_employee_group_is_made_and_its_twin_of_the_framework_stays(
    world: World, role: str
) -> None:
    maple = world.importer("Maple")
    boss = {"actor": world.manager(maple), "acting_for": maple, "at": world.at}
    run(f"SET LOCAL ROLE {role}")

    group = done(create_employee_group(name="Customs", **boss))
    assert group.auth_group.name
    for change in CHANGES[:2]:
        with pytest.raises(ProgrammingError, match="permission denied"):
            run(change.format("auth_group"))


@pytest.mark.asvs("13.2.2")
@pytest.mark.postgres
def test_the_check_sees_a_site_that_owns_its_history(role: str) -> None:
    found = history_is_out_of_reach(databases=["default"])
    assert [error.id for error in found] == ["ccp.E002"] * len(INSERT_ONLY)

    run(f"SET LOCAL ROLE {role}")
    assert history_is_out_of_reach(databases=["default"]) == []


@pytest.mark.postgres
@pytest.mark.parametrize("name", ["nobody_of_this_name", "postgres"])
def test_only_another_role_is_given_rights(db: None, name: str) -> None:
    with pytest.raises(CommandError, match="is no other role"):
        call_command("grant_site_role", name)


BACK_DOORS = {
    "everybody": "GRANT UPDATE ON audit_event TO PUBLIC",
    "a column": "GRANT UPDATE (id) ON audit_event TO PUBLIC",
    "a role with rights": "CREATE ROLE archive; GRANT DELETE ON audit_event TO archive;"
    " GRANT archive TO {role}",
    "the owner": "GRANT {owner} TO {role}",
    "a superuser": "ALTER ROLE {role} SUPERUSER",
}


@pytest.mark.postgres
@pytest.mark.parametrize("door", BACK_DOORS.values(), ids=BACK_DOORS)
def test_a_back_door_to_history_is_refused(role: str, door: str) -> None:
    owner = connection.settings_dict["USER"]
    run(door.format(role=role, owner=owner))
    with pytest.raises(CommandError, match="could still change .*audit_event"):
        call_command("grant_site_role", role)

    run(f"SET LOCAL ROLE {role}")
    assert "ccp.E002" in {error.id for error in history_is_out_of_reach(databases=["default"])}


@pytest.mark.skipif(connection.vendor == "postgresql", reason="states what other databases do")
def test_without_postgresql_there_are_no_roles(db: None) -> None:
    assert history_is_out_of_reach(databases=["default"]) == []
    with pytest.raises(CommandError, match="Only PostgreSQL has roles"):
        call_command("grant_site_role", "site")
