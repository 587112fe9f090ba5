from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from audit import verbs


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        verbs.register(
            {
                "profile.create": _("Created a personal profile"),
                "officer_role.grant": _("Made %(object)s an officer of the agency"),
                "officer_role.end": _("Ended an officer role of %(object)s"),
                "profile.edit": _("Changed the personal profile"),
            }
        )
