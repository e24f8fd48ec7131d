"""stack.toml is read by one reader, and each mistake in it gets one sentence with its line."""

import dataclasses
from pathlib import Path

import pytest

from deploy.manifest import (
    SET_BY_THE_TOOLS,
    Command,
    Manifest,
    NoManifest,
    Process,
    WrongManifest,
    parse_manifest,
    read_manifest,
)


def read(text: str) -> Manifest:
    return parse_manifest(text, Path("/srv/mysite/stack.toml"))


def refuse(text: str) -> list[str]:
    with pytest.raises(WrongManifest) as wrong:
        read(text)
    return wrong.value.problems


def test_a_name_is_enough() -> None:
    assert read('name = "mysite"') == Manifest(name="mysite", folder=Path("/srv/mysite"))


def test_values_arrive_as_the_types_of_the_fields() -> None:
    manifest = read("""
        name = "mysite"
        ports = [8001, 8002]
        websocket = ["/ws/"]
        env.redis = "REDIS_URL"
        processes.worker = { run = "celery -A mysite worker", stop_seconds = 60 }
        build = [{ run = "npm ci", folder = "frontend" }]
    """)
    assert manifest.ports == (8001, 8002)
    assert manifest.websocket == ("/ws/",)
    assert manifest.env.redis == "REDIS_URL"
    assert manifest.processes == {"worker": Process("celery -A mysite worker", stop_seconds=60)}
    assert manifest.build == (Command("npm ci", "frontend"),)


def test_a_command_alone_stands_for_its_table() -> None:
    manifest = read('name = "mysite"\nbuild = ["npm ci"]\nprocesses.worker = "celery worker"')
    assert manifest.build == (Command("npm ci"),)
    assert manifest.processes == {"worker": Process("celery worker")}


def test_a_folder_without_a_manifest_has_an_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(NoManifest, match=r"There is no stack\.toml in"):
        read_manifest(tmp_path)


def test_the_manifest_knows_its_folder(tmp_path: Path) -> None:
    (tmp_path / "stack.toml").write_text('name = "mysite"')
    assert read_manifest(tmp_path).folder == tmp_path


def test_a_manifest_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "stack.toml").write_bytes('name = "é"'.encode("latin-1"))
    with pytest.raises(WrongManifest, match="UTF-8"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        # fields
        ('name = "a1"\ndomian = "x.org"', '2: unknown field "domian"; did you mean "domain"?'),
        ('name = "a1"\nfolder = "/srv"', '2: unknown field "folder"'),
        ('name = "a1"\nhosts = "HOSTS"', '2: unknown field "hosts"; it belongs into the table [env]'),
        (
            'name = "a1"\n[env]\nhome = "/chat/"',
            '3: unknown field "env.home"; "home" belongs above the first table',
        ),
        ('domain = "x.org"', "1: name is missing"),
        ('name = "a1"\n[timers.clean]\nrun = "x"', "2: timers.clean.calendar is missing"),
        # TOML itself
        ('name = "a1"\nname = "b2"', "2: name is set twice"),
        ('name = "a1"\n[env]\nurl = "A"\n[env]\nhosts = "B"', "4: [env] is set twice"),
        ('name = "a1"\nports = 80 01', "2: this is not TOML: expected newline or end of document after a statement"),
        ('name = "a1"\nbuild = [', "2: this is not TOML: invalid value"),
        # types
        ('name = "a1"\nports = [8001, "80a"]', '2: ports[1] must be a port number from 1024 to 65535, not "80a"'),
        (
            'name = "a1"\nports = [\n  8001,\n  true,\n]',
            "4: ports[1] must be a port number from 1024 to 65535, not true",
        ),
        ('name = "a1"\nports = 8001', "2: ports must be an array of whole numbers, not 8001"),
        ('name = "a1"\npython = 3.11', "2: python must be a string, not 3.11"),
        ('name = "a1"\nmedia = "yes"', '2: media must be true or false, not "yes"'),
        ('name = "a1"\nenv = "HOSTS"', '2: env must be a table, [env], not "HOSTS"'),
        ('name = "a1"\nprocesses.worker = 3', "2: processes.worker must be a table with run, not 3"),
        ('name = "a1"\nbuild = "npm ci"', '2: build must be an array of tables, not "npm ci"'),
        ('name = "a1"\nvariables.DEBUG = false', "2: variables.DEBUG must be a string, not false"),
        ('name = "a1"\ndatabase = "mysql"', '2: database must be "postgres", "sqlite" or "own", not "mysql"'),
        ('name = "a1"\nwebsocket = "all"', '2: websocket must be "upgrade" or an array of strings, not "all"'),
        ('name = "a1"\nasgi_http = 1', '2: asgi_http must be "all" or an array of strings, not 1'),
        # values
        ('name = "My_Site"', '1: name must have 2 to 30 of a-z, 0-9 and -, beginning with a letter, not "My_Site"'),
        ('name = "a--b"', '1: name must have 2 to 30 of a-z, 0-9 and -, beginning with a letter, not "a--b"'),
        ('name = "postgres"', '1: name "postgres" is the name of something that Debian already has; choose another'),
        ('name = ""', "1: name must not be empty"),
        (
            'name = "a1"\ndomain = "https://x.org/"',
            '2: domain must be a host name alone, without https:// and without a path, not "https://x.org/"',
        ),
        ('name = "a1"\ndomain = "x.org:8000"', '2: domain must be a host name without a port, not "x.org:8000"'),
        ('name = "a1"\ndomain = "X.org"', '2: domain must be in lower case: "x.org", not "X.org"'),
        ('name = "a1"\ndomain = "a_b.org"', '2: domain must be a host name such as chat.example.org, not "a_b.org"'),
        (
            'name = "a1"\nroot = "../other"',
            '2: root must be a path inside the project, relative and without "..", not "../other"',
        ),
        (
            'name = "a1"\nrequirements = ["/etc/passwd"]',
            '2: requirements[0] must be a path inside the project, relative and without "..", not "/etc/passwd"',
        ),
        (
            'name = "a1"\nsettings = "config/settings.py"',
            '2: settings must be the name of a module, not a file: "config.settings", not "config/settings.py"',
        ),
        (
            'name = "a1"\nasgi = "config.asgi.application"',
            '2: asgi must have a colon before the attribute: "config.asgi:application", not "config.asgi.application"',
        ),
        ('name = "a1"\npython = "3.9"', '2: python must be one of 3.11, 3.12, 3.13, 3.14, not "3.9"'),
        (
            'name = "a1"\npackages = ["-e ."]',
            '2: packages[0] must be a requirement such as "celery>=5.4", not an option or an address, not "-e ."',
        ),
        ('name = "a1"\nupload_size = "10 MB"', '2: upload_size must be written as nginx does, "10m", not "10 MB"'),
        ('name = "a1"\nupload_size = "0"', '2: upload_size must be a size such as "10m", "500k" or "1g", not "0"'),
        ('name = "a1"\nwebsocket = ["ws/"]', '2: websocket[0] must begin with "/": "/ws/", not "ws/"'),
        (
            'name = "a1"\nwebsocket = ["/ws/; }"]',
            '2: websocket[0] must be a path without query, fragment, spaces or patterns, not "/ws/; }"',
        ),
        ('name = "a1"\nwebsocket = []', '2: websocket must be "upgrade" or at least one path'),
        (
            'name = "a1"\nhome = "https://x.org/chat/"',
            '2: home must begin with "/": "/chat/", not "https://x.org/chat/"',
        ),
        (
            'name = "a1"\nexclude_newer = "May 2024"',
            '2: exclude_newer must be a day such as 2024-05-01, not "May 2024"',
        ),
        (
            'name = "a1"\nexclude_newer = "2024-02-30"',
            '2: exclude_newer must be a day such as 2024-05-01, not "2024-02-30"',
        ),
        ('name = "a1"\nports = [443]', "2: ports[0] must not be 80 or 443: the site always listens there, not 443"),
        ('name = "a1"\nports = [8001, 8001]', "2: ports has 8001 twice"),
        (
            'name = "a1"\nenv.hosts = "MY-HOSTS"',
            '2: env.hosts must be the name of an environment variable, not "MY-HOSTS"',
        ),
        (
            'name = "a1"\nvariables.PATH = "/bin"',
            '2: the name "PATH" in variables is set by the stack for every process',
        ),
        ('name = "a1"\nvariables.A = "x\\ny"', '2: variables.A must be a single line, not "x\\ny"'),
        (
            'name = "a1"\nprocesses.web = "x"',
            '2: the name "web" in processes is the name of a unit that every site has; choose another',
        ),
        (
            'name = "a1"\nprocesses.w = { run = "x", stop_seconds = 0 }',
            "2: processes.w.stop_seconds must be a number of seconds from 1 to 3600, not 0",
        ),
        (
            'name = "a1"\ntimers.t = { run = "x", calendar = "*/5 * * * *" }',
            '2: timers.t.calendar must be a calendar event of systemd, not of cron, such as "*-*-* 03:00" or "*:0/5", '
            'not "*/5 * * * *"',
        ),
        ('name = "a1"\nbuild = [{ run = "" }]', "2: build[0].run must not be empty"),
        (
            'name = "a1"\nload.message = "hi"',
            '2: load.message must contain "{text}", the place for the text of each message, not "hi"',
        ),
        (
            'name = "a1"\ndoctor.origin = "x.org"',
            '2: doctor.origin must be an origin such as https://chat.example.org, without a path, not "x.org"',
        ),
        # sources
        (
            'name = "a1"\nsource = "https://git.example.org/a/b"',
            "2: source must name the whole commit, with 40 hexadecimal digits: ADDRESS@COMMIT, not "
            '"https://git.example.org/a/b"',
        ),
        (
            f'name = "a1"\nsource = "http://git.example.org/a/b@{"a" * 40}"',
            "2: source must be fetched over https:// or ssh, because nothing else proves who sent it, not "
            f'"http://git.example.org/a/b@{"a" * 31}…',
        ),
        # fields that are right alone
        (
            'name = "a1"\nsecrets = ["TOKEN"]\n[variables]\nTOKEN = "x"',
            "2: secrets[0] sets TOKEN, which variables.TOKEN sets as well",
        ),
        ('name = "a1"\nsecrets = ["SECRET_KEY"]', "2: secrets[0] sets SECRET_KEY, which the stack sets itself"),
        ('name = "a1"\nenv.hosts = "A"\nenv.url = "A"', "3: env.url sets A, which env.hosts sets as well"),
        (
            'name = "a1"\nprocesses.mail = "x"\ntimers.mail = { run = "y", calendar = "daily" }',
            "3: timers.mail has the name of a process; choose another",
        ),
    ],
)
def test_a_wrong_manifest_gets_one_sentence_with_the_line(text: str, problem: str) -> None:
    assert refuse(text) == [f"stack.toml:{problem}"]


def test_all_mistakes_are_named_at_once_in_the_order_of_the_file() -> None:
    text = 'ports = [80]\nname = "a1"\nmedia = 1\n\n[env]\nhost = "A"'
    assert [problem.split(" ", 1)[0] for problem in refuse(text)] == ["stack.toml:1:", "stack.toml:3:", "stack.toml:6:"]


@pytest.mark.parametrize(
    "calendar",
    [
        "daily",
        "hourly",
        "*-*-* 04:30",
        "Mon 06:00",
        "Mon..Fri 22:30",
        "Sat,Sun 12:00",
        "*:0/5",
        "2026-12-24 18:00:00",
        "04:30 UTC",
        "*-*-01 00:00",
    ],
)
def test_calendar_events_of_systemd_are_accepted(calendar: str) -> None:
    assert read(f'name = "a1"\n[timers.t]\nrun = "x"\ncalendar = "{calendar}"').timers["t"].calendar == calendar


@pytest.mark.parametrize("calendar", ["sometimes", "every day", "5 minutes", "04:30; rm"])
def test_other_calendar_events_are_refused(calendar: str) -> None:
    assert "calendar event of systemd" in refuse(f'name = "a1"\n[timers.t]\nrun = "x"\ncalendar = "{calendar}"')[0]


@pytest.mark.parametrize(
    "source",
    [
        "",
        "../mysite",
        "mysite.tar.gz",
        f"https://git.example.org/a/b.git@{'0' * 40}",
        f"git@git.example.org:a/b.git@{'f' * 40}",
    ],
)
def test_sources_are_accepted(source: str) -> None:
    assert read(f'name = "a1"\nsource = "{source}"').source == source


def test_each_field_of_the_manifest_can_be_set() -> None:
    """A new field of a type that the reader does not know fails here."""
    for field in dataclasses.fields(Manifest):
        if field.name not in {*SET_BY_THE_TOOLS, "name"}:
            problems = refuse(f'name = "a1"\n{field.name} = 1979-05-27')
            assert len(problems) == 1
            assert problems[0].startswith(f"stack.toml:2: {field.name} must be "), problems
