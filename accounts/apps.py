from django.apps import AppConfig
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from audit import verbs
from notices import digests


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        # The writer needs models, which are there only now.
        digests.register(import_string("accounts.unused.warn_of_unused"))
        verbs.register(
            {
                "profile.create": _("Created a personal profile"),
                "officer_role.grant": _("Made %(object)s an officer of the agency"),
                "officer_role.end": _("Ended an officer role of %(object)s"),
                "profile.reactivate": _("Used the profile again, which had counted as unused"),
                "profile.change_email": _("Changed the e-mail address"),
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
