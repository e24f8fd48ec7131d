"""Parley's one settings file.

The environment (or `.env`) carries secrets and what differs between machines; `.env.example` lists every
variable. A secret has no default, and a wrong value stops the start with one sentence.
"""

import hmac
import logging
import os
from pathlib import Path

import environ
from csp.constants import NONE, SELF

from config import sign_in
from config.variables import read
from ops import sentry

REPO = Path(__file__).resolve().parent.parent.parent
VAR = REPO / "var"

environ.Env.read_env(os.environ.get("PARLEY_ENV_FILE", REPO / ".env"))  # the real environment wins

SECRET_KEY = read("SECRET_KEY")
DEBUG = read("DEBUG")
ALLOWED_HOSTS = read("ALLOWED_HOSTS")
ALLOWED_ORIGINS = read("ALLOWED_ORIGINS")  # other sites whose pages may open our sockets and call the API
FRONT_ROOM = read("FRONT_ROOM")  # what clients mean that name no room
GUESTS = read("GUESTS")

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
]

MIDDLEWARE = [
    "ops.requests.observed",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "accounts.languages.PageLanguage",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.json_bodies.ReadableJson",
    "accounts.social.LeaveByPage",
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

DATABASES = {"default": read("DATABASE_URL", default=f"sqlite:///{VAR}/parley.sqlite3")}
DATABASES["default"].setdefault("OPTIONS", {})
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"].setdefault("CONN_MAX_AGE", 60)  # seconds
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] |= {
        # A transaction takes the write lock when it begins: two posts wait for each other instead of failing.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,  # seconds a writer waits for that lock
        # Readers never wait for the writer. synchronous stays FULL: an acked message survives a power cut.
        "init_command": "PRAGMA journal_mode=WAL;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The cache holds rate limits. It lives in the database so that people can sign in while Redis is away.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
        # At Django's 300 a spray of addresses would push out everybody else's limits; `manage.py prune` keeps it small.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    },
}

# --- Redis: only a doorbell between processes; losing it loses no message

REDIS_URL = read("REDIS_URL")
CHANNEL_LAYERS: dict[str, dict[str, object]]
if REDIS_URL:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "realtime.internals.ChannelLayer",
            "CONFIG": {
                # A Redis that accepts and never answers is given up after this many seconds.
                "hosts": [{"address": REDIS_URL, "socket_timeout": 2, "socket_connect_timeout": 2}],
                "prefix": "parley",
            },
        },
    }
else:  # one process only: unit tests, or a machine without Redis
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

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
# Of X-Forwarded-For the last address counts, so nobody can choose the one that is rate limited: nginx overwrites the
# header with what it saw, a platform's front appends to it.
ALLAUTH_TRUSTED_PROXY_COUNT = 1
SOCIALACCOUNT_ADAPTER = "accounts.social.Adapter"
SOCIALACCOUNT_PROVIDERS = sign_in.providers(
    {
        "GOOGLE_CLIENT_ID": read("GOOGLE_CLIENT_ID"),
        "GOOGLE_CLIENT_SECRET": read("GOOGLE_CLIENT_SECRET"),
        "GITHUB_CLIENT_ID": read("GITHUB_CLIENT_ID"),
        "GITHUB_CLIENT_SECRET": read("GITHUB_CLIENT_SECRET"),
        "OIDC_NAME": read("OIDC_NAME"),
        "OIDC_SERVER_URL": read("OIDC_SERVER_URL"),
        "OIDC_CLIENT_ID": read("OIDC_CLIENT_ID"),
        "OIDC_CLIENT_SECRET": read("OIDC_CLIENT_SECRET"),
    }
)
# What is not configured has no address.
INSTALLED_APPS += [f"allauth.socialaccount.providers.{name}" for name in SOCIALACCOUNT_PROVIDERS]
# Programs sign in at /_allauth/app/v1/ and get tokens. Their key follows from SECRET_KEY: one secret to keep.
HEADLESS_CLIENTS = ("app",)
HEADLESS_TOKEN_STRATEGY = "accounts.tokens.TokenStrategy"  # noqa: S105  a path
HEADLESS_JWT_ALGORITHM = "HS256"
HEADLESS_JWT_PRIVATE_KEY = hmac.digest(SECRET_KEY.encode(), b"accounts.tokens", "sha256").hex()
HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN = 15 * 60  # seconds
HEADLESS_JWT_REFRESH_TOKEN_EXPIRES_IN = 14 * 24 * 60 * 60  # seconds
HEADLESS_JWT_STATEFUL_VALIDATION_ENABLED = True  # a token dies with its session
EMAIL_CONFIG = read("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = read("DEFAULT_FROM_EMAIL")

# --- Limits that differ between machines; those of the protocol are in chat/limits.py

SOCKET_RATE = read("SOCKET_RATE")  # commands a second and socket, in the long run
SOCKET_BURST = read("SOCKET_BURST")  # commands at once
COALESCE = read("COALESCE")  # busy rooms put several events into one frame; off only to measure what that saves
GROUP_COMMIT = read("GROUP_COMMIT")  # posts that come together share a transaction; off only to measure it, too
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440  # bytes of a request body; nginx refuses more before us

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.tokens.BearerAuthentication",  # the first one's name is in a 401
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["chat.api.throttle.WriteThrottle"],
    "DEFAULT_THROTTLE_RATES": {"writes": read("API_RATE")},
    "EXCEPTION_HANDLER": "chat.api.errors.answer",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Parley",
    "DESCRIPTION": "Rooms and messages over HTTP. Live events come over the WebSocket: see asyncapi.yaml.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": ["chat.api.schema.add_answers"],
}

# --- Security

SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")  # nginx overwrites it
SECURE_SSL_REDIRECT = not DEBUG
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$", r"^metrics$", r"^ws/"]  # probes and the 426 come without nginx too
SECURE_HSTS_SECONDS = 31_536_000  # a year
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
SESSION_COOKIE_AGE = 60 * 60 * 24 * 30
CSRF_COOKIE_HTTPONLY = False  # the page's own scripts read it for their fetches
X_FRAME_OPTIONS = "DENY"
# Pages of other sites come with tokens. No cookies: whoever is signed in here is nobody there.
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
        "connect-src": [SELF],  # covers wss:// of this very host
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# --- Looking at it from outside

DOCTOR_REPORT = read("DOCTOR_REPORT", default=str(VAR / "doctor.json"))  # made by a timer: see ops/certificate.py

RELEASE = read("RELEASE", default=REPO.name)  # a release lies in a folder of its name
sentry.begin(read("SENTRY_DSN"), release=RELEASE, environment=read("SENTRY_ENVIRONMENT"), traces=read("SENTRY_TRACES"))

# --- Files, language, logs

STATIC_URL = "/static/"
STATIC_ROOT = read("STATIC_ROOT", default=str(VAR / "static"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "config.static.HashedStaticFilesStorage"
    },
}
LANGUAGE_CODE = "en"  # what is written in the code; app/locale has the others
LANGUAGES = [("en", "English"), ("pt-br", "Português (Brasil)"), ("es", "Español")]
LOCALE_PATHS = [str(REPO / "app" / "locale")]
LANGUAGE_COOKIE_AGE = 31_536_000  # a year
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = not DEBUG
TIME_ZONE = "UTC"
USE_TZ = True


def _one_line(record: logging.LogRecord) -> bool:
    record.exc_info = None
    return True


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "ops.logs.Lines"}, "json": {"()": "ops.logs.Json"}},
    "filters": {"one_line": {"()": "django.utils.log.CallbackFilter", "callback": _one_line}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": read("LOG_FORMAT")}},
    "root": {"handlers": ["console"], "level": read("LOG_LEVEL")},
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "gunicorn.error": {"handlers": [], "propagate": True},
        "django.security.DisallowedHost": {"filters": ["one_line"]},  # whoever asks for it fills the log otherwise
        # It prints a traceback every second while Redis is away; realtime.publisher says it once.
        "channels_redis.pubsub": {"level": "CRITICAL"},
        "daphne.server": {"level": "WARNING"},  # at each start it regrets the absence of HTTP/2, which nginx speaks
    },
}
