"""The door for application servers: `gunicorn ccp.wsgi`. Production opens it only if it is safe."""

import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ccp.settings")
application = get_wsgi_application()
if settings.IS_PRODUCTION:
    import_module("ccp.checks").refuse_unsafe_start()  # it asks models, which are there only now
