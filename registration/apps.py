from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from audit.verbs import register


class RegistrationConfig(AppConfig):
    name = "registration"

    def ready(self) -> None:
        register(
            {
                "registration.start": _("Started a registration"),
                "registration.edit": _("Filled in a step of a registration"),
                "registration.accept_terms": _("Accepted the terms of a registration"),
                "registration.submit": _("Submitted a registration: %(object)s"),
                "registration.register": _("Registered the business %(object)s"),
                "registration.request_review": _("Asked for a review: %(object)s"),
                "registration.decline_second_manager": _(
                    "Did not name a second Business Account Manager yet: %(object)s"
                ),
            }
        )
