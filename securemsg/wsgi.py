"""The WSGI entry point: `gunicorn securemsg.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "securemsg.settings")
application = get_wsgi_application()
