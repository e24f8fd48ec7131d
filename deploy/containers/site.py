"""The commands up and down: any Channels project in containers, from the same files as the chat."""

import fcntl
import json
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from deploy.containers.context import Context
from deploy.containers.engine import Engine, EngineFailed, check_engine
from deploy.containers.project import DEFAULT_PYTHON, Address, describe_compose, describe_containers
from deploy.doctor.http_client import Target
from deploy.doctor.ws_client import open_websocket
from deploy.local.checks import find_listener, is_in_use, refuse
from deploy.local.guest import print_overrides
from deploy.local.layout import REPO, Layout, WrongVariable
from deploy.local.project import Settings
from deploy.local.state_folder import chat_state_folder, claim_state_folder, find_state_folder
from deploy.local.steps import Steps, report
from deploy.manifest import Manifest
from deploy.manifest_rules import check_domain
from deploy.nginx_site import describe_nginx
from deploy.packages import lock_packages
from deploy.program import PROGRAM
from deploy.release_name import make_release_name
from deploy.site_files import contains_plain_websocket
from deploy.site_name import CHAT
from deploy.source import copy_source, open_source

HANDSHAKE_TIMEOUT_SECONDS = 10
UNREACHED = (502, 503, 504)  # nginx answers so for a server that it does not reach


@dataclass(frozen=True)
class Containers:
    """One project in containers: what it is, where it is reached, and its folder."""

    manifest: Manifest
    compose_project: str
    """The name of the Compose project, and so of its volumes: that of the state folder, which no other project has."""
    address: Address
    context: Context

    @property
    def engine(self) -> Engine:
        """The engine for its Compose file."""
        return Engine(self.context.compose_file, self.compose_project, self.context.log)

    def describe(self, release: str = "local") -> None:
        """Write the files that need nothing but the manifest and the name of the release.

        Raises:
            WrongManifest: a timer cannot be planned in containers, or the source cannot be read.
        """
        site = describe_compose(self.manifest, self.compose_project, self.address, rewrites_ws=self.rewrites_ws)
        self.context.write(self.manifest, site, describe_containers(self.manifest, self.address, release))

    @cached_property  # it reads every page of the project
    def rewrites_ws(self) -> bool:
        """Whether ws:// has to be rewritten: browsers do not upgrade it on localhost."""
        return not self.address.domain and contains_plain_websocket(open_source(self.manifest))


def start(manifest: Manifest, *, only_check: bool) -> int:
    """Start a project. Return the exit code: 0 when the site answers, 1 when it cannot be started.

    Args:
        manifest: completed by `discovery.complete`.
        only_check: whether to write the files and let Compose check them, and start nothing.

    Raises:
        WrongManifest: the project cannot be copied, or its packages do not fit together.
    """
    try:
        containers = open_containers(manifest, os.environ)
        if problem := check_engine(needs_daemon=not only_check):
            return refuse([problem])
        containers.context.folder.mkdir(parents=True, exist_ok=True)
        with (containers.context.folder / "lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return refuse([f"another `{PROGRAM} up` of {manifest.name} is running."])
            if only_check:
                containers.describe()
                containers.engine.run("--profile", "*", "config", "--quiet", doing="read the Compose file")
                print(f"{containers.context.compose_file} is ready for `{PROGRAM} up` with {manifest.name}.")
                return 0
            if problems := check_ports(containers):
                return refuse(problems)
            with Steps() as steps:
                bring_up(containers, steps)
            return announce(containers)
    except WrongVariable as wrong:
        return refuse(wrong.problems)
    except EngineFailed as failed:
        return refuse([str(failed)])


def open_containers(manifest: Manifest, env: Mapping[str, str]) -> Containers:
    """Return a project in containers, with the address of its site. Its state folder exists from now on.

    Args:
        manifest: completed by `discovery.complete`.
        env: has DOMAIN, HTTPS_PORT and HTTP_PORT, if they are set.

    Raises:
        WrongVariable: a port or the name is none.
    """
    ports = Layout.from_environment(env)
    domain = env.get("DOMAIN", manifest.domain)
    if domain and (problem := check_domain(domain)):
        raise WrongVariable([f'DOMAIN "{domain}" {problem}'])
    address = Address("" if domain == "localhost" else domain, ports.https_port, ports.http_port)
    claimed = claim_state_folder(manifest, env)
    if claimed.note:
        report(claimed.note)
    return Containers(manifest, claimed.path.name, address, Context(claimed.path / "containers"))


def check_ports(containers: Containers) -> list[str]:
    """Return a sentence for each port that another program uses."""
    own = {port for container in containers.engine.list_containers() for port in container.ports}
    wanted = {
        containers.address.https_port: "set HTTPS_PORT to another",
        containers.address.http_port: "set HTTP_PORT to another",
        **dict.fromkeys(containers.manifest.ports, "stop it (ports in stack.toml)"),
    }
    return [
        f"port {port} is in use by {find_listener(port)}; {fix}."
        for port, fix in wanted.items()
        if port not in own and is_in_use(port)
    ]


def bring_up(containers: Containers, steps: Steps) -> None:
    """Build the images, start the containers, and wait until they are healthy. `steps` prints what is done.

    Raises:
        WrongManifest: the project cannot be copied, or its packages do not fit together.
        EngineFailed: a step of Docker failed.
    """
    manifest, context, engine = containers.manifest, containers.context, containers.engine
    steps("copying the project")
    copy_source(manifest, context.source)
    steps("resolving its packages")
    lock_packages(manifest, context.source, context.requirements, python=DEFAULT_PYTHON)
    containers.describe(make_release_name(manifest, context.source, context.requirements))
    steps(f"building its image{', with the build commands' if manifest.build else ''}")
    engine.run("build", "init", doing=f"build the image of {manifest.name}")
    steps("creating what is missing of keys and certificate")
    engine.run("run", "--rm", "-T", "init", "init", "--secrets", doing="create the keys", stdin=read_secrets(manifest))
    steps("importing it")
    printed = engine.run("run", "--rm", "-T", "--no-deps", "release", "settings", doing=f"import {manifest.settings}")
    settings: Settings = json.loads(printed.splitlines()[-1])
    steps.end()
    print_overrides(manifest, settings)
    context.write_nginx_site(describe_nginx(manifest, settings, rewrites_ws=containers.rewrites_ws))
    steps("building the image of nginx")
    engine.run("build", "nginx", doing="build the image of nginx")
    steps("preparing the database and the static files, starting the servers")
    try:
        engine.run("up", "--detach", "--wait", "--remove-orphans", doing=f"start {manifest.name}")
    except EngineFailed as failed:
        raise EngineFailed(f"{failed}{explain_failure(engine)}") from None


def read_secrets(manifest: Manifest) -> str:
    """Return the standard input of docker/first_run.py: those secrets of stack.toml that the environment has."""
    values = {name: os.environ[name] for name in manifest.secrets if os.environ.get(name)}
    return json.dumps({"values": values, "required": list(manifest.secrets)})


def explain_failure(engine: Engine) -> str:
    """Return the last lines of each container that has failed."""
    failed = dict.fromkeys(container.service for container in engine.list_containers() if container.has_failed)
    return "".join(f"\n{PROGRAM}: the last lines of {service}:\n{engine.read_logs(service)}" for service in failed)


def announce(containers: Containers) -> int:
    """Try a WebSocket handshake through nginx and print the address. Return the exit code."""
    manifest, address = containers.manifest, containers.address
    if manifest.probe:
        unverified = ssl.create_default_context()
        unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
        target = Target(address.domain or "localhost", address.https_port, "127.0.0.1", unverified)
        handshake = open_websocket(
            target,
            manifest.probe,
            HANDSHAKE_TIMEOUT_SECONDS,
            origin=manifest.doctor.origin or address.url,
            cookie=manifest.doctor.cookie,
            subprotocol=manifest.doctor.subprotocol,
        )
        reply = handshake.reply
        handshake.abort()
        if reply.error or reply.status in UNREACHED:
            raise EngineFailed(
                f"a WebSocket handshake with {manifest.probe} fails: {reply}; see: {logs(containers, 'ws')}"
            )
        report(f"a WebSocket handshake with {manifest.probe} is answered by {reply.status}")
    report(f"{manifest.name} is running at {address.url}{manifest.home}")
    app = manifest.address or manifest.folder
    report(f"logs: {logs(containers)}    stop it, and keep the data: {PROGRAM} down {app}")
    return 0


def logs(containers: Containers, service: str = "") -> str:
    """Return the command that shows logs."""
    return f"docker compose -p {containers.compose_project} logs {service}".rstrip()


def stop(manifest: Manifest, *, deletes_data: bool) -> int:
    """Stop the containers of a project. Return the exit code."""
    folder = find_state_folder(manifest).path
    context = Context(folder / "containers")
    if not context.compose_file.exists():
        return refuse([f"{manifest.name} was not started here with `{PROGRAM} up`."])
    return take_down(Engine(context.compose_file, folder.name, context.log), manifest.name, deletes_data=deletes_data)


def take_down(engine: Engine, name: str, *, deletes_data: bool) -> int:
    """Stop the containers of a site, and delete its volumes if asked to. Return the exit code."""
    if problem := check_engine(needs_daemon=True):
        return refuse([problem])
    volumes = ["--volumes"] if deletes_data else []
    try:
        # The WebSocket servers stop first: they ask their clients to reconnect, and nginx carries that message.
        engine.run("stop", "ws", doing=f"stop the WebSocket servers of {name}")
        engine.run("--profile", "*", "down", "--remove-orphans", *volumes, doing=f"stop {name}")
    except EngineFailed as failed:
        return refuse([str(failed)])
    report(f"{name} has stopped; its data {'is deleted' if deletes_data else 'stays'}")
    return 0


def chat_engine() -> Engine:
    """Return the engine for the chat, whose Compose file is in this checkout."""
    return Engine(REPO / "compose.yaml", "", chat_state_folder(CHAT) / "containers" / "docker.log")


def start_chat(*, only_check: bool) -> int:
    """Start the chat of this checkout. Return the exit code."""
    if problem := check_engine(needs_daemon=not only_check):
        return refuse([problem])
    engine = chat_engine()
    try:
        if only_check:
            engine.run("--profile", "*", "config", "--quiet", doing="read the Compose file")
            return 0
        with Steps("building the images, starting the servers"):
            engine.run("up", "--detach", "--build", "--wait", doing="start the chat")
        # Compose may have them from .env.
        names = engine.run("exec", "-T", "nginx", "printenv", "SITE_DOMAIN", doing="ask nginx for the site's name")
        address = engine.run("port", "nginx", "8443", doing="find the port of nginx")
    except EngineFailed as failed:
        return refuse([f"{failed}{explain_failure(engine)}"])
    report(f"the chat is running at https://{names.strip().split(',')[0]}:{address.strip().rpartition(':')[2]}")
    return 0


def stop_chat(*, deletes_data: bool) -> int:
    """Stop the chat of this checkout. Return the exit code."""
    return take_down(chat_engine(), CHAT, deletes_data=deletes_data)
