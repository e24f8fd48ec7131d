"""All contenders, in the order of the table."""

from loadtest.bench.contenders.broadcast import Broadcast
from loadtest.bench.contenders.channels_tutorial import Tutorial
from loadtest.bench.contenders.chat import BundledChat
from loadtest.bench.contenders.contender import Contender
from loadtest.bench.contenders.nats import Nats
from loadtest.bench.contenders.nchan import Nchan
from loadtest.bench.contenders.socket_io import SocketIO
from loadtest.bench.nginx_proxy import BehindNginx
from loadtest.core.program import OURS

# Behind nginx each is reached as it usually is: the chat of the stack over a unix socket, the others over TCP.
BEHIND_TLS: list[Contender] = [
    BehindNginx(BundledChat(unix=True)),
    BehindNginx(Tutorial()),
    BehindNginx(SocketIO()),
    Nchan(tls=True),
]
ALL_CONTENDERS: list[Contender] = [
    *BEHIND_TLS,
    BundledChat(),
    BundledChat(unix=True),
    Tutorial(),
    Tutorial("pubsub"),
    Tutorial(is_guest=True),
    Tutorial("pubsub", is_guest=True),
    Tutorial("stack", is_guest=True),
    SocketIO(),
    Broadcast(),
    Nchan(),
    Nats(),
]
QUICK_CONTENDERS: list[Contender] = [*BEHIND_TLS, BundledChat(), SocketIO(), Nchan(), Tutorial()]
# The contenders of the last line, which scripts read, by their names there.
LAST_LINE = {OURS: f"{OURS}-tls", "tutorial": "tutorial-tls", "socketio": "socketio-tls", "nchan": "nchan-tls"}
