"""Every open socket of this process, so that the server can say goodbye to each before it ends."""

from threading import Event
from typing import Protocol


class Restartable(Protocol):
    """A socket that can be told to come back."""

    def restart(self, reconnect_in: float) -> None:
        """Say bye with code 1012; the client is to return after that many seconds."""


open_sockets: set[Restartable] = set()  # whoever adds itself discards itself at its end
draining = Event()  # set once the process is on its way out; from then on it is not ready
