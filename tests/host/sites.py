"""The sites whose files these tests render: the chat, a project that says little, and one that says everything."""

from dataclasses import replace
from pathlib import Path

from deploy.manifest import Command, EnvironmentNames, Manifest, Probe, Process, Timer, read_manifest
from deploy.site_context import SiteContext, build_context

REPO = Path(__file__).resolve().parents[2]
SMALL = Manifest(name="tutorial", folder=Path("/src"), settings="mysite.settings", asgi="mysite.asgi:application")
FULL = replace(
    SMALL,
    name="full-site",
    domain="full.example.org",
    root="server",
    env=EnvironmentNames(hosts="HOSTS", url="URL", redis="REDIS", database="DB", secret="KEY"),
    variables={"GREETING": 'Say "hello" to 100% of C:\\users'},
    secrets=("STRIPE_KEY",),
    upload_size="1g",
    websocket=("/ws/", "/live"),
    asgi_http=("/dpd/",),
    ports=(8001, 4000),
    network=True,
    processes={
        "worker": Process(run="celery -A portal worker --concurrency 1 -n 'w@%h'", stop_seconds=90),
        "relay": Process(run="node relay.js", folder="relay server"),
    },
    timers={"digest": Timer(run="python -m portal.digest --all", calendar="*:0/15")},
    release=(Command(run="python manage.py seed"), Command(run="./load.sh 'a b'", folder="relay server")),
    probe="/ws/probe/",
    probes=(Probe(path="/"), Probe(path="/ws/probe/", status=101)),
)


def chat() -> SiteContext:
    return build_context(read_manifest(REPO / "app"), {"domain": "chat.example.org", "ws_instances": 3}, "checkout")


def project(manifest: Manifest = SMALL) -> SiteContext:
    return build_context(manifest, {"domain": "site.example.org", "media_url": "/uploads/"}, "project")


SITES = {"the chat": chat(), "a small project": project(), "a project with every field": project(FULL)}
