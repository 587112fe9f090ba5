"""Gives a database role what the site needs, and no more: `grant_site_role ROLE`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from ccp.site_role import changeable, statements


class Command(BaseCommand):
    help = (
        "Give an existing PostgreSQL role the rights that the site needs. Run as the owner of the "
        "tables after every migration; then let the site sign in as that role."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("role", help="the role that the site signs in as")

    def handle(self, *, role: str, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError("Only PostgreSQL has roles.")
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT current_user = %s, to_regrole(quote_ident(%s))", [role, role])
            is_self, found = cursor.fetchone()
            if found is None or is_self:
                raise CommandError(f"{role} is no other role of this database.")
            for statement in statements(connection, role):
                cursor.execute(statement)
            if still := changeable(connection, role):
                raise CommandError(
                    f"{role} could still change {', '.join(still)}: it is a superuser, belongs to "
                    "the owner of the tables or to a role with rights, or everybody (PUBLIC) has "
                    "them. Take that away and run this again; nothing was changed."
                )
        self.stdout.write(f"{role} may run the site.")
