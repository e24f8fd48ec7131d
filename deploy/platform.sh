#!/bin/sh
# Everything that a platform with one command and one port (Azure App Service) has to start: tables, static files, then
# one process for pages, files and WebSockets. PORT is the platform's word.
set -eu
cd "$(dirname "$0")/../app"
python manage.py migrate --noinput
python manage.py createcachetable
python manage.py collectstatic --noinput --verbosity 0
exec python -m gunicorn --worker-class config.worker.Worker --bind "0.0.0.0:${PORT:-8000}" config.asgi:application
