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
                "identity.link": _("Linked another way to sign in: %(object)s"),
                "identity.unlink": _("Removed a way to sign in: %(object)s"),
                "second_factor.add": _("Added the second factor “%(object)s”"),
                "second_factor.rename": _("Called a second factor “%(object)s”"),
                "second_factor.remove": _("Removed the second factor “%(object)s”"),
                "second_factor.prove": _("Proved with a second factor who they are"),
                "recovery_codes.make": _("Made new recovery codes"),
            }
        )
