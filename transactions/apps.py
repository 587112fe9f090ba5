from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from audit import verbs


class TransactionsConfig(AppConfig):
    name = "transactions"

    def ready(self) -> None:
        verbs.register(
            {
                "declaration.correct": _("Corrected declaration %(object)s"),
                "declaration.import": _("Received declarations by file %(object)s"),
            }
        )
