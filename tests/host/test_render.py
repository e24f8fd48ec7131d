"""What a host gets for each site is what systemd, nginx and sh accept, and carries no other site's name."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from deploy import render
from deploy.manifest import Manifest, Process, Timer
from deploy.site_context import SiteContext, WrongSite, build_context, command_arguments, from_fields, to_fields
from tests.host.sites import FULL, REPO, SITES, SMALL, chat, project


def written(site: SiteContext, folder: Path) -> Path:
    """Write what the host gets below `folder`, with a stand-in for each program, and return the folder of the units."""
    for path, text in render.render_host(site).items():
        file = folder / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        # systemd-analyze looks for each program.
        file.write_text(
            re.sub(r"^(ExecStart=)/(?:opt/\S+|usr/bin/redis-server)", r"\1/bin/true", text, flags=re.MULTILINE)
        )
    return folder / "etc" / "systemd" / "system"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
@pytest.mark.parametrize("name", SITES)
def test_systemd_accepts_every_unit(name: str, tmp_path: Path) -> None:
    units = written(SITES[name], tmp_path)
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(path) for path in sorted(units.iterdir()) if path.is_file())],
        env={"SYSTEMD_UNIT_PATH": f"{units}:/lib/systemd/system", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    assert str(units) not in checked.stderr  # not a warning either


@pytest.mark.parametrize("name", SITES)
def test_no_template_leaves_a_trace(name: str) -> None:
    for path, text in render.render_host(SITES[name]).items():
        assert "{{" not in text, path
        assert "{%" not in text, path
        assert text.endswith("\n"), path
        assert not text.endswith("\n\n"), path


@pytest.mark.parametrize("has_ipv6", [True, False])
def test_nginx_listens_at_ipv6_where_the_kernel_has_it(has_ipv6: bool) -> None:
    texts = render.render_host({**project(FULL), "ipv6": has_ipv6})
    lines = [line for path, text in texts.items() if "nginx" in path for line in text.splitlines()]
    ports = ["80", "443", *map(str, FULL.ports)]
    for port in ports:
        assert sum(bool(re.match(rf"listen {port}\b", line)) for line in lines) == 1
        assert sum(bool(re.match(rf"listen \[::\]:{port}\b", line)) for line in lines) == has_ipv6


def test_a_project_does_not_carry_the_name_of_the_chat() -> None:
    for site in (project(), project(FULL)):
        for path, text in render.render_host(site).items():
            lines = [line for line in text.splitlines() if "parley" in line and not line.startswith("#")]
            allowed = "channels_stack.asgi:application", "channels_stack.wsgi:application"  # import names of the stack
            assert [line for line in lines if not line.endswith(allowed)] == [], path
            assert "parley" not in path


def test_the_names_of_the_chat_on_existing_hosts_do_not_change() -> None:
    site = chat()
    assert set(render.render_host(site)) == {
        "/etc/tmpfiles.d/parley.conf",
        *(
            f"/etc/systemd/system/parley{name}"
            for name in (
                "-.service.d/10-sandbox.conf",
                ".target",
                "-web.socket",
                "-web.service",
                "-ws@.socket",
                "-ws@.service",
                "-redis.service",
                "-redis.service.d/30-no-network.conf",
                "-release@.service",
                "-candidate-web@.socket",
                "-candidate-web@.service",
                "-candidate-ws@.service",
                "-backup.service",
                "-backup.timer",
                "-restore@.service",
                "-doctor.service",
                "-doctor.service.d/30-loopback.conf",
                "-doctor.timer",
                "-prune.service",
                "-prune.timer",
            )
        ),
    }
    assert (site["user"], site["database"], site["root"], site["run"]) == (
        "parley",
        "parley",
        "/opt/parley",
        "/run/parley",
    )
    assert (site["static"], site["redis_unit"]) == ("/var/lib/parley/static", "parley-redis.service")


def test_no_project_has_a_folder_a_user_or_a_socket_of_another() -> None:
    own = ("user", "root", "state", "run", "etc", "secrets", "backups", "database", "redis_socket", "certificate")
    values = [site[key] for site in SITES.values() for key in own]  # type: ignore[literal-required]
    for site in SITES.values():
        for key in own:
            value = site[key]  # type: ignore[literal-required]
            others = [other[key] for other in SITES.values() if other is not site]  # type: ignore[literal-required]
            assert value not in others, key
    assert all(values)


def test_egress_is_open_only_where_the_manifest_says_so() -> None:
    assert not any("egress" in path for path in render.render_host(project()))
    assert any(path.endswith("/20-egress.conf") for path in render.render_host(project(FULL)))


def test_a_program_that_compiles_while_it_runs_may_do_so_and_no_other() -> None:
    drop_ins = [path for path in render.render_host(project(FULL)) if path.endswith("30-jit.conf")]
    assert drop_ins == ["/etc/systemd/system/full-site-relay.service.d/30-jit.conf"]


@pytest.mark.parametrize(
    ("run", "folder", "arguments"),
    [
        ("python -m django prune", "", "django prune"),
        ("celery -A portal worker", "", "--command . celery -A portal worker"),
        ("python -m http.server", "pages", "--command pages python -m http.server"),
        ("node 'a b.js' --rate=50%", "", '--command . node "a b.js" --rate=50%%'),
        ("sh -c 'echo $HOME'", "x y", '--command "x y" sh -c "echo $$HOME"'),
        ("""say '"' """, "", '--command . say "\\""'),
    ],
)
def test_systemd_gets_the_words_that_the_manifest_says(run: str, folder: str, arguments: str) -> None:
    assert command_arguments(run, folder) == arguments


def test_an_open_quote_is_refused_with_a_sentence() -> None:
    with pytest.raises(WrongSite, match="has a quote that is not closed"):
        command_arguments("node 'relay.js", "")


@pytest.mark.parametrize("label", ["web", "redis", "manage", "restore"])
def test_a_program_cannot_take_the_name_of_a_unit_of_the_stack(label: str) -> None:
    for manifest in (
        replace(SMALL, processes={label: Process(run="true")}),
        replace(SMALL, timers={label: Timer(run="true", calendar="daily")}),
    ):
        with pytest.raises(WrongSite, match="belongs to the stack"):
            project(manifest)


@pytest.mark.parametrize("number", [0, 100])
def test_a_wrong_number_of_servers_is_refused(number: int) -> None:
    with pytest.raises(WrongSite, match="from 1 to 99"):
        build_context(SMALL, {"ws_instances": number}, "project")


@pytest.mark.parametrize("manifest", [SMALL, FULL])
def test_a_manifest_survives_the_way_to_ansible(manifest: Manifest) -> None:
    fields = json.loads(json.dumps(to_fields(manifest)))
    assert from_fields(fields) == manifest


def test_the_program_writes_the_files_where_it_is_told(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "deploy.render",
        "--site",
        "app",
        "--out",
        str(tmp_path),
        "--domain",
        "c.example.org",
    ]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True)
    assert done.stdout == f"render: {len(render.render_host(chat()))} files of parley are in {tmp_path}\n"
    assert (tmp_path / "etc/systemd/system/parley-web.service").is_file()


def test_a_folder_without_a_manifest_is_refused_with_a_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "deploy.render", "--site", str(tmp_path), "--out", str(tmp_path / "out")]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"render: There is no stack.toml in {tmp_path}\n"
