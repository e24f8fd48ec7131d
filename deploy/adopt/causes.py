"""Every cause that `adopt` knows: what it means, and what to do. A finding fills in the words in braces."""

from dataclasses import dataclass

from deploy.adopt.report import Severity

SET, MENDED, FIELD, OWNER, INFORMATION = Severity


@dataclass(frozen=True)
class Cause:
    """A kind of finding."""

    name: str
    severity: Severity
    meaning: str
    fix: str
    detail: str = ""
    """What differs from place to place. Without it, a report shows the line of the source."""


_ALL = (
    # Settings that every project gets from the stack.
    Cause("debug-on", SET, "DEBUG is on.", "The stack sets DEBUG to False."),
    Cause("secret-key-in-tree", SET, "The secret key is in the source.", "Each site gets a key of its own."),
    Cause("allowed-hosts", SET, "ALLOWED_HOSTS is {value}.", "The stack sets it to your domain."),
    Cause("csrf-origins", SET, "CSRF_TRUSTED_ORIGINS is {value}.", "The stack adds https:// and your domain."),
    Cause(
        "no-proxy-header",
        SET,
        "Django does not know that visitors use https.",
        "The stack sets SECURE_PROXY_SSL_HEADER, and makes the cookies secure.",
    ),
    Cause("no-static-root", SET, "STATIC_ROOT is not set.", "The stack sets it, and nginx serves the files."),
    Cause("relative-static-root", SET, "STATIC_ROOT is relative: {value}.", "The stack sets it to a folder outside."),
    Cause(
        "media-in-tree",
        SET,
        "Uploaded files go into the project's own folder, which is read-only on a host.",
        "The stack sets MEDIA_ROOT to a folder that is backed up.",
    ),
    Cause(
        "sqlite-in-tree",
        SET,
        "The database is a file in the project's own folder, which is read-only on a host.",
        'The stack uses PostgreSQL, or SQLite outside of the folder with database = "sqlite".',
    ),
    Cause(
        "database-hard-coded",
        SET,
        "DATABASES names a server that is not your site's: {value}.",
        "The stack sets DATABASES to the site's own PostgreSQL.",
    ),
    Cause(
        "redis-host-hard-coded", SET, "{setting} names a Redis of its own: {value}.", "The stack sets it to its Redis."
    ),
    Cause(
        "in-memory-layer",
        SET,
        "The channel layer is in the memory of one process: a second process would not hear of its messages.",
        "The stack sets the channel layer to Redis.",
    ),
    Cause("logging-in-tree", SET, "LOGGING writes files: {value}.", "The stack logs to systemd's journal."),
    # What the stack works around.
    Cause(
        "no-origin-check",
        MENDED,
        "Nothing checks the Origin of a handshake: a page of any site may open these sockets as its visitor.",
        "The stack accepts the site's own pages alone. origin_check = false turns that off.",
    ),
    Cause(
        "imports-before-setup",
        MENDED,
        "The ASGI module imports models before Django is set up: daphne and uvicorn stop with "
        "AppRegistryNotReady. runserver hides it.",
        "The stack sets Django up first.",
        "{chain}",
    ),
    Cause(
        "consumer-without-as-asgi",
        MENDED,
        "A route leads to a consumer without .as_asgi(), as in Channels 2.",
        "The stack adds it.",
        "{consumer}",
    ),
    Cause(
        "channels-2-middleware",
        MENDED,
        "A middleware is called with the scope alone, as in Channels 2.",
        "The stack calls it as Channels 2 did.",
        "{name}",
    ),
    Cause("no-http-in-asgi", MENDED, 'The ASGI application has no "http".', "gunicorn serves the pages."),
    Cause(
        "removed-name",
        MENDED,
        "Later versions of Django and Channels have removed this name.",
        "The stack defines it again.",
        "{name} is {replacement} since {package}",
    ),
    Cause(
        "ws-scheme-in-page",
        MENDED,
        "The page opens ws://, which a browser refuses on an https page.",
        "The stack's header Content-Security-Policy makes browsers open wss:// instead.",
    ),
    Cause("home-not-found", MENDED, 'GET / is 404: no route has the path "".', "home is {home}."),
    Cause(
        "models-without-migrations",
        MENDED,
        "An app has models and no migrations.",
        "The stack makes the tables with migrate --run-syncdb; later changes of the models need migrations.",
        "{app}",
    ),
    Cause(
        "relation-without-on-delete",
        MENDED,
        "Since Django 2 a relation must say what a deletion does: on_delete.",
        "The stack takes CASCADE, as Django 1 did, and DO_NOTHING for None.",
        "{name}",
    ),
    Cause("wsgi-missing", MENDED, "WSGI_APPLICATION names {value}, which does not exist.", "{fix}"),
    # What stack.toml has to say.
    Cause(
        "package-not-listed",
        FIELD,
        "A module is imported, and no requirements name its package.",
        "Add the package.",
        "{module}",
    ),
    Cause(
        "pin-without-wheel",
        FIELD,
        "This version cannot be installed.",
        "Take newer versions of what belongs to Django and Channels, and of what has no wheel.",
        "{requirement} {reason}",
    ),
    Cause(
        "pin-freed",
        FIELD,
        "This version cannot be installed; all others can.",
        "Take a newer version of this package alone.",
        "{requirement} {reason}",
    ),
    Cause("pins-contradict", FIELD, "The versions contradict each other: {reason}.", "Take newer versions."),
    Cause(
        "other-port-in-page",
        FIELD,
        "The page opens a socket on another port of the site.",
        "nginx listens there as well, with TLS. location.host has a port of its own where that is not 443: set "
        "HTTPS_PORT=443 for the command `run`.",
        "port {port}",
    ),
    Cause("frontend-build", FIELD, "The browser code has to be built.", "Run the build on each release.", "{command}"),
    Cause(
        "extra-process",
        FIELD,
        "The project needs a process beside the servers.",
        "Run it as a unit of its own.",
        "{command}",
    ),
    Cause(
        "http-in-asgi",
        FIELD,
        "The ASGI application serves some pages itself.",
        "Send these paths to daphne instead of gunicorn.",
        "{path}",
    ),
    Cause(
        "outgoing-network",
        FIELD,
        "The project connects to other hosts, which a site may not do by default.",
        "Open the network for the site's processes.",
        "{what}",
    ),
    Cause(
        "queries-in-async-code",
        FIELD,
        "This was written for Django 2, which let asynchronous consumers query the database directly. Later versions"
        " refuse that with SynchronousOnlyOperation.",
        "Let Django allow it, as Django 2 did.",
        "{name}",
    ),
    Cause("variable-required", FIELD, "The settings cannot be imported without this variable.", "{fix}", "{name}"),
    Cause("python-version", FIELD, "The project needs Python {version}.", "Name it."),
    # What only the owner can change.
    Cause(
        "foreign-address-in-page",
        OWNER,
        "The page connects to an address that is not your site: on a visitor's machine nothing answers there.",
        "Use an address relative to the page, such as location.host.",
        "{address}",
    ),
    Cause(
        "redis-client-hard-coded",
        OWNER,
        "A client of Redis connects to an address in the source; no setting leads there.",
        'Read the address from an environment variable, and name that in stack.toml: env.redis = "REDIS_URL".',
        "{value}",
    ),
    Cause("syntax-error", OWNER, "Python 3 cannot parse this file.", "Convert it to Python 3.", "{reason}"),
    Cause(
        "settings-file-missing",
        OWNER,
        "The settings read a file that the project does not have: they cannot be imported.",
        "Read the values from environment variables, and name them in secrets or variables in stack.toml.",
        "{path}",
    ),
    Cause(
        "module-missing",
        OWNER,
        "The project imports a module that it does not have: its authors keep that file to themselves.",
        "Write the file, with what the project takes from it, or read the values from environment variables.",
        "{name}",
    ),
    Cause("channels-1", OWNER, "This belongs to Channels 1.", "Port the consumers to Channels 4.", "{name}"),
    Cause(
        "removed-from-django",
        OWNER,
        "Later versions of Django have removed this name.",
        "{fix}",
        "{name}, removed in Django {version}",
    ),
    Cause(
        "dead-package",
        OWNER,
        "This package does not work with the Python and the Django of the site.",
        'Replace it, or list what the project needs in a file beside stack.toml: requirements = ["FILE"].',
        "{requirement} {reason}",
    ),
    Cause(
        "user-model-without-migrations",
        OWNER,
        "The user model is in {app}, which has no migrations: migrate cannot make the tables that refer to it.",
        "Run manage.py makemigrations {app}, and commit the result.",
    ),
    Cause(
        "writes-into-tree",
        OWNER,
        "This writes into the project's own folder, which is read-only on a host.",
        "Write below settings.MEDIA_ROOT, or to a temporary file.",
    ),
    Cause(
        "node-server",
        OWNER,
        "A server of Node.js takes the sockets: {command}. The stack serves consumers of Channels.",
        "Write a consumer for it. As a process it can run beside the site, but nginx does not lead to it.",
    ),
    Cause("no-sockets", INFORMATION, "No route leads to a consumer.", "The site has pages alone."),
    Cause(
        "frontend-not-served",
        OWNER,
        "This browser code is built apart, and no setting of Django serves the result.",
        "Name its output in STATICFILES_DIRS and TEMPLATES, or serve it from another site.",
        "{folder}",
    ),
    Cause(
        "build-needs-python-2",
        OWNER,
        "{name} of this version is compiled with Python 2, which a host does not have: the build fails.",
        "Name a newer version, or a package that replaces it: sass for node-sass.",
        "{name}",
    ),
    # Worth knowing.
    Cause(
        "build-needs-old-openssl",
        INFORMATION,
        "{name} of this version fails with Node.js 17 and later: ERR_OSSL_EVP_UNSUPPORTED.",
        "The proposed build sets NODE_OPTIONS=--openssl-legacy-provider.",
        "{name}",
    ),
    Cause(
        "build-needs-program",
        INFORMATION,
        "The browser code is built with {program}, which npm does not bring along.",
        "The site serves what is committed of it. To build it on each release, install {program} on the host and name "
        "the commands in build.",
        "{command}",
    ),
    Cause(
        "database-committed",
        INFORMATION,
        "A database of SQLite is in the project's folder.",
        "It stays out of the copy: the site starts with an empty database.",
        "{tables}",
    ),
    Cause(
        "env-file",
        INFORMATION,
        "The project's folder has a file of variables. It is copied to the site with its values.",
        "Move what is secret to secrets in stack.toml.",
    ),
    Cause(
        "secret-in-tree",
        INFORMATION,
        "A secret is in the source: everyone who has the source knows it.",
        "Change it where it is used, and read it from a variable that secrets in stack.toml names.",
        "{name}",
    ),
    Cause(
        "asgi-differs",
        INFORMATION,
        "ASGI_APPLICATION names {given}; the site runs {asgi}.",
        'Say asgi = "{given}" in stack.toml if that is wrong.',
    ),
    Cause(
        "setting-from-environment",
        INFORMATION,
        "This setting comes from a variable; the stack sets it itself.",
        "[env] in stack.toml gives such a variable its value instead, and leaves the setting alone.",
        '{setting} reads {name}: env.{key} = "{name}"',
    ),
    Cause(
        "postgres-only",
        INFORMATION,
        "This works with PostgreSQL alone, which a site has.",
        "The command `run` starts a PostgreSQL of its own, unless DATABASE_URL names a server.",
        "{name}",
    ),
)

CAUSES: dict[str, Cause] = {cause.name: cause for cause in _ALL}
