from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from audit import verbs


class BusinessesConfig(AppConfig):
    name = "businesses"

    def ready(self) -> None:
        verbs.register({"program_account.link": _("Linked program account %(object)s")})
