"""What application servers serve: `gunicorn ccp.wsgi`. As shipped it opens only if it is safe."""

import os
from importlib import import_module

import django
from django.conf import settings

from ccp.door import Door

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ccp.settings")
django.setup(set_prefix=False)
application = Door()
if settings.IS_SHIPPED:
    import_module("ccp.checks").refuse_unsafe_start()  # it asks models, which are there only now
