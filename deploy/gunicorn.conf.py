"""The configuration of gunicorn, which serves pages, sign-in and the API. The address comes from --bind or systemd."""

import os
import shutil
import tempfile
from typing import Any

# Threads, because a request mostly waits for the database; two processes, so that one busy with Python does not delay
# the others. 2 x 4 keep a machine of two cores busy.
worker_class = "gthread"
workers = 2
threads = 4

# Import the application once, before the workers are forked: a broken import ends the start, memory is shared, and
# "ready" means ready. The workers cannot be reloaded by SIGHUP then; systemd restarts gunicorn behind its socket.
preload_app = True

# Seconds after which a worker whose loop does not run is replaced.
timeout = 30
# Seconds for open requests at a stop; nginx gives up after the same time (proxy_read_timeout).
graceful_timeout = 30
# Seconds. nginx opens a connection for each request and closes it itself.
keepalive = 2

# A RAM disk: the workers' heartbeat must not wait for a disk.
worker_tmp_dir = "/dev/shm"

# It would be created in $HOME, which the services do not have.
control_socket_disable = True

# nginx logs every request, with its id; errors go to stderr.
accesslog = None
errorlog = "-"

# Only nginx connects, over a unix socket or a private network, and it overwrites this header. The other headers that
# gunicorn believes by default would come unchanged from the client.
secure_scheme_headers = {"X-FORWARDED-PROTO": "https"}
forwarder_headers = ""

# Prometheus may reach either worker, so each keeps its metrics in files that both read.
metrics_folder = tempfile.mkdtemp(prefix="gunicorn-metrics-")
raw_env = [f"PROMETHEUS_MULTIPROC_DIR={metrics_folder}"]

# How systemd passes its socket. A project that imports Twisted (daphne in INSTALLED_APPS does) loses these variables:
# twisted.python.systemd removes them.
systemd_variables = {name: os.environ[name] for name in ("LISTEN_PID", "LISTEN_FDS") if name in os.environ}


def on_starting(server: Any) -> None:
    """Restore the variables of the socket, after the application is imported and before gunicorn looks for it."""
    os.environ.update(systemd_variables)


def child_exit(server: Any, worker: Any) -> None:
    """Drop the gauges of an ended worker, such as its open requests; its counters stay."""
    from prometheus_client import multiprocess  # noqa: PLC0415  it reads the variable when it is imported

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(server: Any) -> None:
    """Remove the folder of the metrics."""
    shutil.rmtree(metrics_folder, ignore_errors=True)
