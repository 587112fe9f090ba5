"""Lists every route: its address, who may do what there, and the fields of its form."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ccp.routes import Route, every_route, who


class Command(BaseCommand):
    help = "Lists every route of the portal and who may use it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="with form fields, as JSON")

    def handle(self, **options: Any) -> None:
        routes = every_route()
        if options["json"]:
            self.stdout.write(json.dumps([described(route) for route in routes], indent=2))
            return
        rows = [
            (route.name, method, route.path, who(rule))
            for route in routes
            for method, rule in route.rules.items()
        ]
        name, path = (max(len(row[column]) for row in rows) for column in (0, 2))
        for row in rows:
            self.stdout.write(f"{row[0]:{name}}  {row[1]:4}  {row[2]:{path}}  {row[3]}")


def described(route: Route) -> dict[str, Any]:
    """A route in plain values. `<language>` in the path stands for `en-ca` and for `fr-ca`."""
    return {
        "name": route.name,
        "path": route.path,
        "methods": {
            method: {"rule": rule.__name__, "who": who(rule)}
            for method, rule in route.rules.items()
        },
        "fields": [
            {
                "name": field.name,
                "label": field.label,
                "type": field.type,
                "required": field.is_required,
            }
            for field in route.fields
        ],
    }
