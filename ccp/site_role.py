"""What the database role that the site runs as may do (PostgreSQL).

Migrations run as the owner of the tables. The site signs in as another role, which owns nothing:
it adds to history and to the versions of declarations and can do nothing else to them, and deletes
no record of the portal. Source: domain page, invariants 12 and 13.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

from accounts.models import CodeTries, SpentToken, User
from audit.models import Event
from pages.models import Submission
from transactions.models import DeclarationLine, DeclarationVersion

INSERT_ONLY: tuple[type[Model], ...] = (Event, DeclarationVersion, DeclarationLine)
ADD_ONLY: tuple[type[Model], ...] = (*INSERT_ONLY, Group)
FORGOTTEN: tuple[type[Model], ...] = (Submission, SpentToken, CodeTries)
"""Records of the portal that are deleted: a form that was posted long ago, a token that nobody
takes any more, wrong codes before a right one."""
READ_ONLY: tuple[type[Model], ...] = (
    Permission,
    ContentType,
    Group.permissions.through,
    User.groups.through,
    User.user_permissions.through,
    *apps.get_app_config("guardian").get_models(),
)
"""What frameworks know of rights: a permission names a role, so changing it changes roles."""

READ = "SELECT"
ADD = "SELECT, INSERT"
KEEP = "SELECT, INSERT, UPDATE"
ALL = "SELECT, INSERT, UPDATE, DELETE"


def rights(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """What the site's role may do with each table of the database, by the table's name."""
    every = dict.fromkeys(connection.introspection.table_names(), ALL)
    rooms = [one for one in apps.get_app_configs() if Path(one.path).parent == settings.BASE_DIR]
    records = {model for room in rooms for model in room.get_models(include_auto_created=True)}
    records -= {*FORGOTTEN}
    every |= {model._meta.db_table: KEEP for model in records}
    every |= {model._meta.db_table: ADD for model in ADD_ONLY}
    every |= {model._meta.db_table: READ for model in READ_ONLY}
    return every | {"django_migrations": READ}


def statements(connection: BaseDatabaseWrapper, role: str) -> Iterator[str]:
    """The statements that give `role` these rights and take every other one."""
    quote = connection.ops.quote_name
    name = quote(role)
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {name}"
    yield f"REVOKE CREATE ON SCHEMA public FROM {name}"
    yield f"GRANT USAGE ON SCHEMA public TO {name}"
    yield f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {name}"
    for table, allowed in rights(connection).items():
        yield f"GRANT {allowed} ON {quote(table)} TO {name}"


@register(Tags.database, deploy=True)
def history_is_out_of_reach(
    *, databases: Sequence[str] | None = None, **options: Any
) -> list[CheckMessage]:
    """Whether the role that the site signs in as can change what never changes."""
    return [
        Error(
            f"The database role of the site can change {table}.",
            hint="Sign in as a role that owns no table; see manage.py grant_site_role.",
            id="ccp.E002",
        )
        for alias in databases or ()
        if connections[alias].vendor == "postgresql"
        for table in changeable(connections[alias], _own_role(connections[alias]))
    ]


def changeable(connection: BaseDatabaseWrapper, role: str) -> list[str]:
    """The tables of what never changes that `role` can change, by whatever way: 1 query.

    By rights of its own, of everybody (PUBLIC), of a role that it belongs to or of one column; or
    as the owner, whom a member may become.
    """
    tables = [model._meta.db_table for model in INSERT_ONLY]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE oid = ANY(%(tables)s::regclass[]) AND ("
            " has_table_privilege(%(role)s, oid, 'UPDATE, DELETE, TRUNCATE')"
            " OR has_any_column_privilege(%(role)s, oid, 'UPDATE')"
            " OR pg_has_role(%(role)s, relowner, 'MEMBER')) ORDER BY relname",
            {"tables": tables, "role": role},
        )
        return [table for (table,) in cursor.fetchall()]


def _own_role(connection: BaseDatabaseWrapper) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        [role] = cursor.fetchone()
        return str(role)
