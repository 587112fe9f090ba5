from django.apps import AppConfig
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from audit import verbs


class TransactionsConfig(AppConfig):
    name = "transactions"

    def ready(self) -> None:
        # What counts is loaded by now, and not before.
        count = import_string("transactions.openings.count_declarations")
        import_string("delegation.openings.register")(count)
        submitters = import_string("transactions.submitters.submitters_of")
        import_string("delegation.known_people.register")(submitters)
        verbs.register(
            {
                "declaration.correct": _("Corrected declaration %(object)s"),
                "declaration.import": _("Received declarations by file %(object)s"),
            }
        )
