"""A few words for each hop that is well, and for each of which we cannot know."""

from collections.abc import Callable

from deploy.doctor.catalogue import Hop
from deploy.doctor.causes.application import ready
from deploy.doctor.seen import Seen
from deploy.doctor.wire import WORDS


def unknown(hop: Hop, seen: Seen) -> str:
    """Why nothing can be said about this hop; empty when something can."""
    asked = seen.asked
    if hop is Hop.REDIRECT and seen.plain is None:
        return "the port of plain http is not known: --http-port"
    if hop is Hop.SENTINEL and not seen.report:
        return f"no 426 of ours ({seen.sentinel}): what reaches the server is not known"
    if hop is Hop.CHANNELS and not seen.is_parley and not seen.engine_io:
        return "it stays open; what is spoken there is not ours"
    if hop is Hop.LAYER and "redis_round_trip" not in ready(seen) and not (seen.inside and seen.inside.redis):
        return "no /readyz of ours; known with --host"
    if hop is Hop.CHAT and not seen.is_parley:
        return "the chat is not ours"
    if hop is Hop.CHAT and not asked.cookie:
        return "not asked: a sign-in in PARLEY_DOCTOR_COOKIE"
    if hop is Hop.CHAT and not asked.room:
        return "signed in; no room to speak in: PARLEY_DOCTOR_ROOM"
    if hop is Hop.HOLD and not asked.hold:
        return "not asked: --hold 70, --hold 250"
    if hop is Hop.HOLD and seen.hold is None:
        return "the site closes sockets of strangers within 5 s: it takes a sign-in"
    return ""


def well(hop: Hop, seen: Seen) -> str:
    words: dict[Hop, Callable[[], str]] = {
        Hop.NAME: lambda: ", ".join(seen.addresses),
        Hop.TCP: lambda: ", ".join(f"{at} {WORDS.get(word, 'answers')}" for at, word in seen.tcp.items()),
        Hop.TLS: lambda: tls(seen),
        Hop.REDIRECT: lambda: f"http leads to {seen.plain.headers.get('location')}" if seen.plain else "",
        Hop.HTTP: lambda: f"{seen.asked.page} answers {seen.pages[-1]} in {seen.pages[-1].seconds * 1000:.0f} ms",
        Hop.SENTINEL: lambda: "the ASGI server is reached, with Host and scheme",
        Hop.WEBSOCKET: lambda: f"101 in {seen.handshake.seconds * 1000:.0f} ms" if seen.handshake else "",
        Hop.CHANNELS: lambda: socket_io(seen) if seen.engine_io else "hello is answered, by way of the database",
        Hop.LAYER: lambda: "Redis answers",
        Hop.CHAT: lambda: "signed in; what one socket says the other hears",
        Hop.HOLD: lambda: f"{seen.hold.seconds:.0f} s of silence, then a ping is answered" if seen.hold else "",
        Hop.CLOSE: lambda: "1000 is answered by " + str(seen.close.code) if seen.close else "",
    }
    return words[hop]()


def socket_io(seen: Seen) -> str:
    return f"Socket.IO answers, and pings every {seen.engine_io.get('pingInterval', 0) / 1000:g} s"


def tls(seen: Seen) -> str:
    first = next(iter(seen.tls.values()))
    days = f"{first.days:.0f} days left" if first.days is not None else "certificate not looked at"
    return f"{first.version}, HTTP/1.1{' and 2' if first.chosen_with_h2 == 'h2' else ''}, {days}"
