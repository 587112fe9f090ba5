"""The settings as production has them, read anew, and one thing changed on purpose."""

import os
import re
import runpy
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

ENVIRONMENT = {
    "PORTAL_PROFILE": "production",
    "SECRET_KEY": "tWq3vN8zKf1xLr6uYb0mHc5dJs9gPa2eQo7iXk4jVn-RZT_UwMBCDFG",
    "PORTAL_URL": "https://portal.example",
    "ALLOWED_HOSTS": "portal.example",
    "DATABASE_URL": "postgres://portal@db.example/portal?sslmode=verify-full",
    "MAIL_HOST": "mail.example",
    "MAIL_FROM": "portal@mail.example",
    "TRUSTED_PROXIES": "1",
    "GCKEY_ISSUER": "https://gckey.example",
    "GCKEY_CLIENT_ID": "portal",
    "GCKEY_CLIENT_SECRET": "kept",
    "GCKEY_ACR": "level-2",
}
"""What production is told, all of it right."""


def production(patch: pytest.MonkeyPatch, **changed: str) -> dict[str, Any]:
    """Every setting by name, as a process of production reads them from its environment."""
    listed = (settings.BASE_DIR / ".env.example").read_text()
    of_libpq = [name for name in os.environ if name.startswith("PG")]
    for name in [*re.findall(r"^(\w+)=", listed, re.MULTILINE), *of_libpq]:
        patch.delenv(name, raising=False)
    for name, value in (ENVIRONMENT | changed).items():
        patch.setenv(name, value)
    read = runpy.run_path(str(Path(settings.BASE_DIR) / "ccp" / "settings.py"))
    return {name: value for name, value in read.items() if name.isupper()}
