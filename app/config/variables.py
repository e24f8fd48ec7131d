"""What the environment may say, its type and its default. `.env.example` is checked against this table."""

import environ


def read() -> environ.Env:
    """Return the reader of the environment; a variable without a default must be set."""
    return environ.Env(
        SECRET_KEY=str,
        DEBUG=(bool, False),
        ALLOWED_HOSTS=(list, []),
        ALLOWED_ORIGINS=(list, []),
        GUESTS=(bool, True),
        REDIS_URL=(str, "redis://127.0.0.1:6379/0"),
        DEFAULT_FROM_EMAIL=(str, "Parley <parley@localhost>"),
        SOCKET_RATE=(float, 10.0),
        SOCKET_BURST=(int, 30),
        COALESCE=(bool, True),
        GROUP_COMMIT=(bool, True),
        API_RATE=(str, "120/min"),
        LOG_LEVEL=(str, "INFO"),
    )
