"""The chat in containers: docker/compose.yaml, which is committed, so `docker compose up` needs nothing but Docker.

After a change of docker/compose.yaml.j2: python -m deploy.containers.chat
"""

from deploy.containers.compose import DOCKER, ComposeSite, render_compose
from deploy.site_name import CHAT as CHAT_NAME

CHAT_COMPOSE_FILE = DOCKER / "compose.yaml"
CHAT = ComposeSite(
    name=CHAT_NAME,
    compose_project=CHAT_NAME,
    introduction=(
        "The chat in containers. `docker compose up` creates its own secrets and certificate and serves https://localhost:8443.",
        "Set what differs in the environment or in .env: DOMAIN=chat.example.org, HTTPS_PORT=443,",
        'HTTP_PORT=80. The section "Containers" of deploy/README.md describes all variables.',
        "Rendered from docker/compose.yaml.j2 by `python -m deploy.containers.chat`.",
    ),
    target="app",
    image=f"${{SITE_IMAGE:-{CHAT_NAME}:local}}",
    nginx_image=f"${{SITE_NGINX_IMAGE:-{CHAT_NAME}-nginx:local}}",
    load_image=f"${{SITE_LOAD_IMAGE:-{CHAT_NAME}-load:local}}",
    build_arguments=("VERSION: ${SITE_VERSION:-local}",),
    environment=(
        "ALLOWED_HOSTS: ${DOMAIN:-*}",
        "REDIS_URL: redis://redis:6379/0",
        "DRAIN_SECONDS: ${DRAIN_SECONDS:-3}",
        "ALLOWED_ORIGINS:",
        "ALLOW_GUESTS:",
        "DEFAULT_ROOM:",
        "GUESTS: # the former names of these two; they work in this release only",
        "FRONT_ROOM:",
        "GOOGLE_CLIENT_ID:",
        "GITHUB_CLIENT_ID:",
        "OIDC_NAME:",
        "OIDC_SERVER_URL:",
        "OIDC_CLIENT_ID:",
        "DEFAULT_FROM_EMAIL:",
        "SOCKET_RATE:",
        "SOCKET_BURST:",
        "API_RATE:",
        "LOG_LEVEL:",
        "LOG_FORMAT: ${LOG_FORMAT:-json}",
        "SENTRY_DSN:",
        "SENTRY_ENVIRONMENT:",
        "SENTRY_TRACES:",
        "DOCTOR_REPORT: /made/doctor/report.json",
    ),
    init_environment=("FORMER_NAMES: ${FORMER_NAMES:-} # of variables that are set, to print the new names",),
    secrets="${SECRETS_FOLDER:-secrets}",
    tls="${TLS_FOLDER:-tls}",
    domain="${DOMAIN:-localhost}",
    https_port="${HTTPS_PORT:-8443}",
    http_port="${HTTP_PORT:-8080}",
    ws_grace="${WS_STOP_GRACE_PERIOD:-20s}",
    collects_in_image=True,
    internal='"${BLOCK_EGRESS:-true}"',
    egress_comment=(
        "Containers in this network cannot reach other hosts. BLOCK_EGRESS=false lets them, for mail and for sign-in",
        "with other accounts.",
    ),
    develops=True,
    watches=True,
)


if __name__ == "__main__":
    CHAT_COMPOSE_FILE.write_text(render_compose(CHAT))
