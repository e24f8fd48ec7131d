"""Whether this process is on its way to its end."""

from threading import Event

draining = Event()  # set when the drain begins; from then on the process is not ready and takes no handshakes
