#!/bin/sh
# Starts the chat on a platform that runs one command and opens one port (Azure App Service): it prepares the release
# (deploy/release_steps.py), then starts one process for pages, static files and WebSockets. The platform sets PORT.
set -eu
here=$(dirname "$0")
python -u "$here/release_steps.py"
cd "$here/../app"
exec python -m gunicorn --worker-class config.worker.Worker --bind "0.0.0.0:${PORT:-8000}" config.asgi:application
