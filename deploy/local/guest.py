"""The command run: any Channels project on this machine, behind the same servers as on a host."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local import certificate, checks, preparation, site
from deploy.local.checks import refuse
from deploy.local.layout import Layout, WrongVariable
from deploy.local.postgresql import Cluster, ClusterFailed, stop
from deploy.local.project import (
    ASGI_APPLICATION,
    WSGI_APPLICATION,
    ProjectFailed,
    Settings,
    SiteDescription,
    State,
    build_environment,
    describe_site,
    install_project,
    read_settings,
    run_command,
    shell,
    write_secrets,
    write_site_file,
)
from deploy.local.readiness import Announcement
from deploy.local.services import Application, Service, build_services
from deploy.local.state_folder import claim_state_folder, find_state_folder
from deploy.local.steps import Steps, report
from deploy.local.supervisor import Supervisor
from deploy.manifest import Manifest
from deploy.nginx_site import describe_nginx
from deploy.program import PROGRAM
from deploy.site_files import contains_plain_websocket, copy_committed_media, rewrite_static_files

PRINTED_VARIABLE = "OVERRIDES_PRINTED"  # channels_stack.project reads it
COLOURS = ("35", "95", "94", "96", "92", "93")  # of the manifest's processes in the terminal


def start(manifest: Manifest, *, only_check: bool) -> int:
    """Run a project until it is stopped. Return the exit code: 0 after Ctrl-C, 1 when it cannot be started."""
    found = find_state_folder(manifest)
    try:
        layout = layout_of(State(found.path))
    except WrongVariable as wrong:
        return refuse(wrong.problems)
    problems = check_machine(layout, manifest)
    if problems:
        return refuse(problems)
    if only_check:
        print(f"This machine is ready for `{PROGRAM} run` with {manifest.name}.")
        return 0
    claimed = claim_state_folder(manifest)
    state = State(claimed.path)
    layout = layout_of(state)  # another folder if a second project of this name was started at the same moment
    if claimed.note:
        report(claimed.note)
    layout.make_folders()
    with checks.lock_folder(layout) as is_locked:
        if not is_locked:
            return refuse([f"{manifest.name} is already running in {layout.var}: stop that run first."])
        try:
            with Steps() as steps:
                install_project(manifest, state, steps)
                cluster = cluster_of(manifest, layout)
                with start_cluster(cluster, steps) as running:
                    prepared = prepare(manifest, state, layout, cluster, steps)
                    steps.end()
                    return serve(prepared, layout, running)
        except (ProjectFailed, ClusterFailed) as failed:
            return refuse([str(failed)])


def cluster_of(manifest: Manifest, layout: Layout) -> Cluster | None:
    """Return the PostgreSQL that the run starts; None where SQLite will do, or the caller has a database."""
    if os.environ.get("DATABASE_URL") or not manifest.needs_postgresql:
        return None
    folder = layout.var / "postgresql"
    return Cluster(folder, log=folder / "postgresql.log")


@contextmanager
def start_cluster(cluster: Cluster | None, steps: Steps) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Run PostgreSQL, where the run has one, until the block ends. The value has its process by its service's name.

    Raises:
        ClusterFailed: it does not start.
    """
    if cluster is None:
        yield {}
        return
    steps("starting PostgreSQL")
    process = cluster.start()
    try:
        yield {cluster.service().name: process}
    finally:
        stop(process)  # the supervisor has stopped it already, if it got that far


@dataclass(frozen=True)
class Prepared:
    """A project that is ready to be served, and the services that the run has besides its servers."""

    application: Application
    home: str
    owns_redis: bool
    database: Cluster | None


def prepare(manifest: Manifest, state: State, layout: Layout, cluster: Cluster | None, steps: Steps) -> Prepared:
    """Write all that the servers of an installed project and nginx read, and prepare its database.

    Args:
        manifest: completed by `discovery.complete`.
        state: the project's state folder.
        layout: the folders and ports of the run.
        cluster: the PostgreSQL that runs for it.
        steps: prints what is done.

    Raises:
        ProjectFailed: a step failed.
    """
    redis_url = os.environ.get("REDIS_URL") or layout.redis_url
    own_database = cluster.url if cluster else f"sqlite:///{layout.var}/database.sqlite3"
    database_url = os.environ.get("DATABASE_URL") or own_database
    write_secrets(state, database_url)
    state.media.mkdir(parents=True, exist_ok=True)
    write_site_file(state, describe(manifest, state, layout, redis_url))
    values = {
        "hosts": "*",
        "url": layout.url,
        "redis": redis_url,
        "database": database_url,
        "secret": (state.secrets / "SECRET_KEY").read_text(),
    }
    env = build_environment(state, manifest, values, {**os.environ, **empty_secrets(manifest)})
    steps("importing it")
    settings = read_settings(state, manifest, env)
    steps.end()
    print_overrides(manifest, settings)
    env[PRINTED_VARIABLE] = "1"

    application = Application(
        title=manifest.name,
        python=str(state.python),
        folder=state.root(manifest),
        env=env,
        wsgi=WSGI_APPLICATION,
        asgi=ASGI_APPLICATION,
        processes=build_processes(manifest, state, env),
    )
    certificate.renew(layout)
    rewrites_ws = contains_plain_websocket(state.source)
    nginx_site = describe_nginx(manifest, settings, rewrites_ws=rewrites_ws)
    site.assemble(layout, static_root=state.static, media_root=state.media, ports=manifest.ports, site=nginx_site)
    steps("preparing the database and the static files")
    state.static.mkdir(exist_ok=True)
    problems = preparation.prepare_site(layout, application)
    if problems:
        raise ProjectFailed("\n".join(problems))
    if manifest.media and settings["project_media_root"]:
        copy_committed_media(Path(settings["project_media_root"]), state.media, source=state.source)
    for command in manifest.release:
        steps(f"running {command.run}", has_output=True)
        run_command(command, state, manifest, env)
    if rewrites_ws:
        rewrite_static_files(state.static)
    return Prepared(application, manifest.home, owns_redis=redis_url == layout.redis_url, database=cluster)


def serve(prepared: Prepared, layout: Layout, running: Mapping[str, subprocess.Popen[bytes]]) -> int:
    """Start the servers beside what is running, and run all until a signal. Return the exit code."""
    services = build_services(layout, prepared.application, redis=prepared.owns_redis)
    if prepared.database:
        services.insert(0, prepared.database.service())
    announcement = Announcement(layout, title=prepared.application.title, host="localhost", home=prepared.home)
    return Supervisor(services, layout.run, announcement, running).run()


def layout_of(state: State) -> Layout:
    """Return the folders and ports of the run. Raises WrongVariable."""
    return Layout.from_environment({**os.environ, "STACK_VAR": str(state.var)})


def check_machine(layout: Layout, manifest: Manifest) -> list[str]:
    """Return a sentence for each reason why this machine cannot run the project now."""
    needed = {"REDIS_URL": os.environ.get("REDIS_URL") or layout.redis_url}
    cluster = cluster_of(manifest, layout)
    return [
        *checks.check_packages(layout, needed),
        *(cluster.check() if cluster else ()),
        *checks.check_folders(layout),
        *checks.check_ports(layout),
        *(
            f"port {port} (ports in stack.toml) is in use by {checks.find_listener(port)}; stop it."
            for port in manifest.ports
            if checks.is_in_use(port)
        ),
    ]


def empty_secrets(manifest: Manifest) -> dict[str, str]:
    """Return an empty value for each secret of the manifest that the environment has not, and say so.

    On a host a secret has no default. A developer without the key of a mail server or of a payment service still sees
    the rest of the project run.
    """
    missing = [name for name in manifest.secrets if name not in os.environ]
    if missing:
        report(f"these secrets of stack.toml are not in the environment, so they are empty here: {', '.join(missing)}")
    return dict.fromkeys(missing, "")


def describe(manifest: Manifest, state: State, layout: Layout, redis_url: str) -> SiteDescription:
    """Return the site description of a local run."""
    return describe_site(
        manifest,
        hosts=["*"],  # the site is reached as localhost, by address, or by the name that a phone or a tunnel uses
        origins=[layout.url],
        redis_url=redis_url,
        static_root=str(state.static),
        media_root=str(state.media) if manifest.media else "",
        release="local",
        log_format="line",
    )


def build_processes(manifest: Manifest, state: State, env: Mapping[str, str]) -> tuple[Service, ...]:
    """Return the programs that run beside the servers. They stop with the servers of pages, after the sockets."""
    return tuple(
        Service(
            name=name,
            command=list(shell(process.run)),
            env=dict(env),
            folder=state.source / process.folder if process.folder else state.root(manifest),
            stop_order=1,
            colour=COLOURS[number % len(COLOURS)],
            stop_seconds=process.stop_seconds,
        )
        for number, (name, process) in enumerate(manifest.processes.items())
    )


def print_overrides(manifest: Manifest, settings: Settings) -> None:
    """Print which settings of the project the stack replaces: `adopt` also prints why."""
    report(f"the stack sets, in front of {manifest.settings}:")
    width = max((len(override["name"]) for override in settings["overrides"]), default=0)
    for override in settings["overrides"]:
        print(f"  {override['name'].ljust(width)}  {override['before']} -> {override['after']}", flush=True)
