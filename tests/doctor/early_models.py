"""An asgi.py that imports models before Django is set up."""

from django.conf import settings

settings.configure(INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"])

from django.contrib.auth.models import User  # noqa: E402  the mistake

application = User
