"""The portal's settings as the tests run it: `PORTAL_PROFILE=test`, cheap passwords and disk."""

import os
import tempfile
from pathlib import Path

os.environ["PORTAL_PROFILE"] = "test"

from ccp.settings import *  # noqa: F403
from ccp.settings import DATABASES, IS_SQLITE, SESSION_LONGEST_HOURS

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# A test moves the clock by hours while somebody is signed in; those of the end of sessions take the
# portal's own limit (`idle_limit`).
SESSION_IDLE_MINUTES = SESSION_LONGEST_HOURS * 60

if IS_SQLITE:
    # A file, so that the live server's threads have connections of their own, as in production;
    # named by process, so that two runs at once do not meet.
    DATABASES["default"]["TEST"] = {
        "NAME": Path(tempfile.gettempdir()) / f"portal-test-{os.getpid()}.sqlite3"
    }
    DATABASES["default"]["OPTIONS"] |= {
        "init_command": "PRAGMA synchronous=OFF;PRAGMA foreign_keys=ON;"
    }
