"""What is asked of an open socket: does the application answer, does a word cross the channel layer, does it last?"""

import json

from deploy.doctor import probes
from deploy.doctor.catalogue import Hop
from deploy.doctor.line import Heard, Line
from deploy.doctor.seen import Seen
from deploy.doctor.wire import handshake

GLANCE = 1.2  # seconds in which a consumer that fails at once is closed; daphne looks once a second


def channels(seen: Seen) -> None:
    """A stranger's hello is refused, which takes the consumer and the database."""
    probes.ready(seen)
    large(seen)
    assert seen.handshake
    line = seen.handshake.line
    if line is None:
        return
    if not seen.is_parley:
        # Not ours: whatever comes by itself, and an early end in particular.
        seen.hello = line.hear(GLANCE)
        return
    seen.hello = said(line, type="hello", id=1, client="doctor")
    probes.forget(seen.handshake)


def large(seen: Seen) -> None:
    """A frame of the size that was asked, on a socket of its own."""
    asked = seen.asked
    if not asked.frame:
        return
    own = f"https://{seen.target().authority}"
    line = handshake(seen.target(), asked.ws_path, asked.patience, origin=own).line
    if line is None:
        return
    try:
        line.say(b"x" * asked.frame)
        seen.large = hear(line, lambda heard: heard.json.get("type") == "bye", GLANCE)
    except OSError:
        seen.large = line.hear()
    line.close()


def said(line: Line, **command: object) -> Heard:
    """The answer to a command; what else comes meanwhile is passed over."""
    try:
        line.say(json.dumps(command))
    except OSError:
        return Heard("ended")
    return hear(line, lambda heard: heard.json.get("id") == command["id"] or heard.json.get("type") == "bye")


def hear(line: Line, wanted: object, seconds: float | None = None) -> Heard:
    assert callable(wanted)
    while True:
        heard = line.hear(seconds)
        if heard.kind != "text" or wanted(heard):
            return heard


def chat(seen: Seen) -> None:
    """Signed in, in a room: what one socket types the other hears, by the layer when they met different servers."""
    asked = seen.asked
    if not (asked.cookie and seen.is_parley):
        return
    first, second = enter(seen), None
    if first is None:
        return
    if asked.room:
        seen.joined = said(first, type="join", id=2, room=asked.room)
        if seen.joined.json.get("type") == "joined":
            second = enter(seen)
    if second is None:
        return
    said(second, type="join", id=2, room=asked.room)
    said(first, type="typing", id=3, room=asked.room, on=True)
    seen.round_trip = hear(second, lambda heard: heard.json.get("type") == "ephemeral", asked.patience)
    said(first, type="typing", id=4, room=asked.room, on=False)
    second.close()


def enter(seen: Seen) -> Line | None:
    """A socket that has said hello with the operator's session; the first one stays open for what follows."""
    asked = seen.asked
    own = f"https://{seen.target().authority}"
    reply = handshake(seen.target(), asked.ws_path, asked.patience, origin=own, cookie=asked.cookie)
    if reply.line is None:
        seen.chat = Heard("ended", str(reply).encode())
        return None
    heard = said(reply.line, type="hello", id=1, client="doctor")
    if seen.chat is None:
        seen.chat = heard
        seen.handshake = reply
    if heard.json.get("type") != "welcome":
        probes.forget(reply)
        return None
    return reply.line


def hold(seen: Seen) -> None:
    """Not a word from us, for as long as was asked; then one ping, to know a dead line from a quiet one."""
    assert seen.handshake
    line = seen.handshake.line
    if not seen.asked.hold or line is None:
        return
    waited = 0.0
    while waited < seen.asked.hold:
        heard = line.hear(seen.asked.hold - waited)
        waited += heard.seconds
        if heard.kind in ("close", "ended"):
            seen.hold = Heard(heard.kind, heard.data, heard.code, waited)
            return
        if seen.engine_io and heard.data == b"2":  # its ping; who does not say 3 is closed
            line.say("3")
        if heard.json.get("type") == "ping":
            line.say(json.dumps({"type": "pong", "id": 9, "n": heard.json.get("n")}))
    seen.hold = Heard("silence", seconds=waited)
    try:
        line.say(b"doctor", 9)
    except OSError:
        seen.pong = Heard("ended")
        return
    line.wait()
    seen.pong = await_pong(line)


def await_pong(line: Line) -> Heard:
    while True:
        heard = line.hear()
        if heard.kind != "text":
            return heard


def close(seen: Seen) -> None:
    """We say 1000; a server that is well says it back."""
    assert seen.handshake
    line = seen.handshake.line
    if line is None:
        own = f"https://{seen.target().authority}"
        fresh = handshake(seen.target(), seen.asked.ws_path, seen.asked.patience, origin=own)
        line = fresh.line
    if line is None:
        seen.close = Heard("ended")
        return
    try:
        line.say((1000).to_bytes(2, "big"), 8)
    except OSError:
        seen.close = Heard("ended")
        return
    while (heard := line.hear()).kind in ("text", "binary", "pong"):
        pass
    seen.close = heard
    line.close()


TALK = {
    Hop.CHANNELS: channels,
    Hop.CHAT: chat,
    Hop.HOLD: hold,
    Hop.CLOSE: close,
}
