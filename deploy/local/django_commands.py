"""The three manage.py commands that come before a start, in one interpreter: importing Django is half their time."""

import sys

import django
from django.core.management import CommandError, call_command
from django.db import Error, connection

try:
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
except Error as wrong:
    name = connection.settings_dict["NAME"]
    sys.exit(f"the database {name} cannot be used: {' '.join(str(wrong).split())}")
except CommandError as wrong:
    sys.exit(str(wrong))
