"""gunicorn: pages, sign-in, REST. The address to listen on comes from whoever starts it (--bind, or systemd)."""

import shutil
import tempfile
from typing import Any

# A request waits for the database most of its time, so threads; two processes, so that one core's worth
# of Python does not hold up the rest. 2 x 4 is what the small machine (2 cores) keeps busy.
worker_class = "gthread"
workers = 2
threads = 4

# Import the application once, before forking: a broken import ends the start instead of looping, memory
# is shared, and "ready" means ready. The price, no reload by HUP, is paid: we restart behind the socket.
preload_app = True

# Seconds. A worker that does not come back to its loop this long is replaced.
timeout = 30
# Requests in flight at a stop; nginx gives up after the same time (proxy_read_timeout).
graceful_timeout = 30
# nginx opens a connection per request and closes it itself.
keepalive = 2

# The heartbeat file must not wait for a disk.
worker_tmp_dir = "/dev/shm"  # a RAM disk, and the file has no name

# It would be put into $HOME, which services here do not have.
control_socket_disable = True

# nginx logs every request, with its id; errors go where the supervisor collects them.
accesslog = None
errorlog = "-"

# Only nginx talks to us, over a unix socket or a private network, and it overwrites this one header. The
# others of gunicorn's default set pass nginx untouched from the client.
secure_scheme_headers = {"X-FORWARDED-PROTO": "https"}
forwarder_headers = ""

# Either worker may be the one that Prometheus asks: each keeps what it counts in files that both can read.
counts = tempfile.mkdtemp(prefix="parley-counts-")
raw_env = [f"PROMETHEUS_MULTIPROC_DIR={counts}"]


def child_exit(server: Any, worker: Any) -> None:
    """What a dead worker counted stays; what it had open does not."""
    from prometheus_client import multiprocess  # noqa: PLC0415  it reads the variable when it is imported

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(server: Any) -> None:
    shutil.rmtree(counts, ignore_errors=True)
