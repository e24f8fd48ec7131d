"""The application of the profile `dev`: it serves static files from their sources, not from the collected copies."""

from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler

from config.asgi import application as site

application = ASGIStaticFilesHandler(site)
