"""The door for application servers: `gunicorn ccp.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ccp.settings")
application = get_wsgi_application()
