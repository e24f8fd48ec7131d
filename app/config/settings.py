"""Parley's one settings file.

The environment, or the file `.env`, carries secrets and what differs between machines. `.env.example` lists every
variable. SECRET_KEY has no default, and a wrong value stops the start with one sentence. To add a setting, read it
here, describe it in `.env.example`, and name it in docker/compose.yaml, unless it is a secret: see CONTRIBUTING.md.
"""

import os
from pathlib import Path

import environ
from csp.constants import NONE, SELF

from accounts import token_keys
from channels_stack import logs, session_hash
from chat import limits
from config import sign_in
from config import variables as kinds
from config.variables import deprecation_warnings, read
from ops import sentry

REPO = Path(__file__).resolve().parent.parent.parent
VAR = REPO / "var"

environ.Env.read_env(os.environ.get("STACK_ENV_FILE", REPO / ".env"))  # the real environment wins

SECRET_KEY = read("SECRET_KEY", kinds.LONG_SECRET, is_secret=True)
SECRET_KEY_FALLBACKS = read("SECRET_KEY_FALLBACKS", kinds.SECRETS, default="", is_secret=True)
SESSION_HASH_KEY = read("SESSION_HASH_KEY", kinds.OPTIONAL_SECRET, default="", is_secret=True) or SECRET_KEY
DEBUG = read("DEBUG", kinds.BOOLEAN, default="false")
ALLOWED_HOSTS = read("ALLOWED_HOSTS", kinds.HOST_NAMES, default="")
# Other sites whose pages may open WebSockets here and call the API.
ALLOWED_ORIGINS = read("ALLOWED_ORIGINS", kinds.ORIGINS, default="")
# The room of clients that name none.
DEFAULT_ROOM = read("DEFAULT_ROOM", kinds.ROOM_SLUG, default="lobby", old_name="FRONT_ROOM")
ALLOW_GUESTS = read("ALLOW_GUESTS", kinds.BOOLEAN, default="true", old_name="GUESTS")

INSTALLED_APPS = [
    "accounts",
    "chat",
    "ops",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "allauth",
    "allauth.account",
    "allauth.headless",
    "allauth.socialaccount",
    "csp",
    session_hash.APP,
]

MIDDLEWARE = [
    "channels_stack.requests.observe_requests",
    "channels_stack.unavailable.AnswerWhileUnavailable",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "accounts.middleware.PageLanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.UnreadableJsonMiddleware",
    "accounts.social.ExternalRedirectInterstitial",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["django.templatetags.i18n"],
        },
    },
]

# --- Data

DATABASES = {
    "default": read("DATABASE_URL", kinds.DATABASE_URL, default=f"sqlite:///{VAR}/parley.sqlite3", is_secret=True)
}
DATABASES["default"].setdefault("OPTIONS", {})
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"].setdefault("CONN_MAX_AGE", 60)  # seconds
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] |= {
        # A transaction takes the write lock when it begins: the second of two posts waits instead of failing.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,  # seconds a writer waits for that lock
        # Readers do not wait for the writer. synchronous stays FULL: an acknowledged message survives a power cut.
        "init_command": "PRAGMA journal_mode=WAL;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The cache holds rate limits. It lives in the database so that people can sign in while Redis is away.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
        # At Django's 300 many addresses would evict the limits of others. `manage.py prune` keeps the table small.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    },
}

# --- Redis: carries notifications between processes; no message is lost while it is away

REDIS_URL = read("REDIS_URL", kinds.REDIS_URL, default="redis://127.0.0.1:6379/0")
CHANNEL_LAYERS: dict[str, dict[str, object]]
if REDIS_URL:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_realtime.internals.ChannelLayer",
            "CONFIG": {
                # A Redis that accepts connections and does not answer counts as away after this many seconds.
                "hosts": [{"address": REDIS_URL, "socket_timeout": 2, "socket_connect_timeout": 2}],
                "prefix": "parley",
            },
        },
    }
else:  # one process only, as in unit tests
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

# --- The WebSocket server

CHANNELS_REALTIME = {
    "REDIS_URL": REDIS_URL,
    "KEY_PREFIX": "parley",
    "ALLOWED_ORIGINS": ALLOWED_ORIGINS,
    # Busy rooms put several events into one frame. Off only to measure what that saves.
    "COALESCE": read("COALESCE", kinds.BOOLEAN, default="true"),
    "MAX_MESSAGE_BYTES": limits.FRAME_BYTES,
}

# --- People

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*"]
ACCOUNT_FORMS = {"signup": "accounts.forms.SignupForm"}
ACCOUNT_USERNAME_VALIDATORS = "accounts.guests.USERNAME_VALIDATORS"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_SESSION_REMEMBER = True
# The last address of X-Forwarded-For is the one that is rate limited, and a client cannot choose it: nginx overwrites
# the header with the address of its client, and a platform's proxy appends that address.
ALLAUTH_TRUSTED_PROXY_COUNT = 1
SOCIALACCOUNT_ADAPTER = "accounts.social.Adapter"
SOCIALACCOUNT_PROVIDERS = sign_in.read_providers()
# A provider that is not configured has no address.
INSTALLED_APPS += [f"allauth.socialaccount.providers.{name}" for name in SOCIALACCOUNT_PROVIDERS]
# Programs sign in at /_allauth/app/v1/ and get tokens. The tokens' key is derived from SECRET_KEY: one secret to keep.
HEADLESS_CLIENTS = ("app",)
HEADLESS_TOKEN_STRATEGY = "accounts.tokens.TokenStrategy"  # noqa: S105  a path
HEADLESS_JWT_ALGORITHM = token_keys.ALGORITHM
HEADLESS_JWT_PRIVATE_KEY = token_keys.derive_token_key(SECRET_KEY)
HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN = 15 * 60  # seconds
HEADLESS_JWT_REFRESH_TOKEN_EXPIRES_IN = 14 * 24 * 60 * 60  # seconds
HEADLESS_JWT_STATEFUL_VALIDATION_ENABLED = True  # a token dies with its session
EMAIL_CONFIG = read("EMAIL_URL", kinds.EMAIL_URL, default="consolemail://", is_secret=True)
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = read("DEFAULT_FROM_EMAIL", kinds.EMAIL_ADDRESS, default="Parley <parley@localhost>")

# --- Limits that differ between machines; those of the protocol are in chat/limits.py

SOCKET_RATE = read("SOCKET_RATE", kinds.POSITIVE_NUMBER, default="10")  # commands a second from one socket, on average
SOCKET_BURST = read("SOCKET_BURST", kinds.POSITIVE_INTEGER, default="30")  # commands at once
# Posts that arrive together share a transaction. Off only to measure what that saves.
GROUP_COMMIT = read("GROUP_COMMIT", kinds.BOOLEAN, default="true")
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440  # bytes of a request body; nginx refuses a larger one first

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.tokens.BearerAuthentication",  # the first class sets the WWW-Authenticate header of a 401
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["chat.api.throttle.WriteThrottle"],
    "DEFAULT_THROTTLE_RATES": {"writes": read("API_RATE", kinds.RATE, default="120/min")},
    "EXCEPTION_HANDLER": "chat.api.errors.handle_exception",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Parley",
    "DESCRIPTION": "Rooms and messages over HTTP. Live events come over the WebSocket: see asyncapi.yaml.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": ["chat.api.schema.add_components"],
}

# --- Security

SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")  # nginx overwrites it
SECURE_SSL_REDIRECT = not DEBUG
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$", r"^metrics$", r"^ws/"]  # probes connect without nginx, too
SECURE_HSTS_SECONDS = 31_536_000  # a year
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
SESSION_COOKIE_AGE = 60 * 60 * 24 * 30
CSRF_COOKIE_HTTPONLY = False  # the page's scripts read it
X_FRAME_OPTIONS = "DENY"
# Pages of other sites authenticate with tokens, never with this site's cookies.
CORS_ALLOWED_ORIGINS = ALLOWED_ORIGINS
CORS_URLS_REGEX = r"^/(api|_allauth|chat/rooms|save_message)/"
CORS_ALLOW_HEADERS = ["authorization", "content-type"]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],  # includes wss:// of this host
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# --- Monitoring

# Written by a timer, read by channels_stack/certificate.py.
DOCTOR_REPORT = read("DOCTOR_REPORT", kinds.PATH, default=str(VAR / "doctor.json"))

RELEASE = read("RELEASE", kinds.TEXT, default=REPO.name)  # a release is in a folder of its name
sentry.start(
    read("SENTRY_DSN", kinds.SENTRY_DSN, default=""),
    release=RELEASE,
    environment=read("SENTRY_ENVIRONMENT", kinds.NAME, default="production"),
    traces=read("SENTRY_TRACES", kinds.SHARE, default="0"),
)

# --- Files, language, logs

STATIC_URL = "/static/"
STATIC_ROOT = read("STATIC_ROOT", kinds.PATH, default=str(VAR / "static"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "config.static.HashedStaticFilesStorage"
    },
}
LANGUAGE_CODE = "en"  # the language of the texts in the code; app/locale has the others
LANGUAGES = [("en", "English"), ("pt-br", "Português (Brasil)"), ("es", "Español")]
LOCALE_PATHS = [str(REPO / "app" / "locale")]
LANGUAGE_COOKIE_AGE = 31_536_000  # a year
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = not DEBUG
TIME_ZONE = "UTC"
USE_TZ = True

LOG_FORMAT = read("LOG_FORMAT", kinds.LOG_FORMAT, default="line")
LOG_LEVEL = read("LOG_LEVEL", kinds.LOG_LEVEL, default="INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "channels_stack.logs.LineFormatter"},
        "json": {"()": "channels_stack.logs.JsonFormatter"},
    },
    "filters": {"one_line": {"()": "django.utils.log.CallbackFilter", "callback": logs.drop_traceback}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "gunicorn.error": {"handlers": [], "propagate": True},
        "django.security.DisallowedHost": {"filters": ["one_line"]},  # scanners would fill the log with tracebacks
        # It logs a traceback every second while Redis is away; channels_realtime.publisher logs one line.
        "channels_redis.pubsub": {"level": "CRITICAL"},
        "daphne.server": {"level": "WARNING"},  # it warns at each start that it has no HTTP/2, which nginx has
    },
}

DEPRECATION_WARNINGS = deprecation_warnings  # of the reads above; ops.apps logs them once logging is configured
