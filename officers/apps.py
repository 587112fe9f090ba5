from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from audit import verbs


class OfficersConfig(AppConfig):
    name = "officers"

    def ready(self) -> None:
        verbs.register(
            {
                "lookup.open": _("Looked up the business"),
                "lookup.end": _("Ended a look-up of the business"),
                "account_recovery.propose": _("Proposed to recover the user account of %(object)s"),
                "account_recovery.confirm": _("Recovered the user account of %(object)s"),
                "account_recovery.reject": _(
                    "Rejected the recovery of the user account of %(object)s"
                ),
                "recovery_request.propose": _("Proposed a manager for %(object)s"),
                "recovery_request.confirm": _("Recovered %(object)s with a new manager"),
                "recovery_request.reject": _("Rejected the recovery of %(object)s"),
            }
        )
