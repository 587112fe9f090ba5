"""How the portal keeps second factors: secrets sealed, and known by an address of the settings."""

from typing import Any
from urllib.parse import urlsplit

from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.utils.translation import gettext as _

from accounts.models import User
from pages.cipher import cipher

SALT = "accounts.second_factor"


class FactorAdapter(DefaultMFAAdapter):
    """What is secret in a factor can be read by this portal alone."""

    def encrypt(self, text: str) -> str:
        return cipher(SALT).encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return cipher(SALT).decrypt(encrypted_text.encode()).decode()

    def get_totp_issuer(self) -> str:
        return _("CARM Client Portal")

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Passkeys are bound to the portal's own name, whatever host a request names."""
        return {
            "id": urlsplit(settings.PORTAL_URL).hostname or "",
            "name": _("CARM Client Portal"),
        }

    def get_public_key_credential_user_entity(self, user: User) -> dict[str, Any]:
        """The person by the opaque name; what the device shows is the e-mail address."""
        return {"id": user.username.encode(), "display_name": str(user), "name": user.email}
