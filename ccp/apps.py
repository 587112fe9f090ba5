from importlib import import_module

from django.apps import AppConfig
from django.core import checks

from ccp.routes import every_route_has_a_rule


class PortalConfig(AppConfig):
    name = "ccp"

    def ready(self) -> None:
        checks.register(every_route_has_a_rule, checks.Tags.urls)
        import_module("ccp.site_role")  # its check asks models, which are there only now
        hardening = import_module("ccp.checks")  # and so do these
        checks.register(hardening.production_is_safe, checks.Tags.security, deploy=True)
        checks.register(hardening.nothing_made_up_is_there, checks.Tags.database, deploy=True)
