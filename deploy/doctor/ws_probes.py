"""The probes that open WebSockets: handshake, application, channel layer, silence, close."""

import json

from deploy.doctor.observations import Observations
from deploy.doctor.site_handshake import open_site_websocket
from deploy.doctor.ws_client import PING, TEXT, Received, WebSocket

# A consumer that fails at once is closed within this time: daphne checks its applications once a second.
FAILURE_WAIT_SECONDS = 1.2
FOREIGN_ORIGIN = "https://stranger.invalid"
CLIENT_NAME = "doctor"


def probe_handshake(observations: Observations) -> None:
    """Observe the handshake, and whether a page of another site could make one."""
    observations.handshake = open_site_websocket(observations)
    if observations.handshake.reply.status == 101:
        foreign = open_site_websocket(observations, origin=FOREIGN_ORIGIN)
        foreign.abort()
        observations.foreign_origin_reply = foreign.reply


def probe_channels(observations: Observations) -> None:
    """Observe what the application does with a new WebSocket.

    The chat refuses a `hello` without a session, which takes the consumer and the database. Of any other site the
    doctor observes what arrives by itself, in particular an early end.
    """
    probe_large_frame(observations)
    assert observations.handshake
    websocket = observations.handshake.websocket
    if websocket is None:
        return
    if not observations.is_chat:
        observations.hello_reply = websocket.receive(FAILURE_WAIT_SECONDS)
        return
    observations.hello_reply = websocket.send_command(type="hello", id=1, client=CLIENT_NAME)
    observations.handshake.abort()


def probe_large_frame(observations: Observations) -> None:
    """Send a frame of the size that the operator asked for, on a WebSocket of its own, and observe the answer."""
    if not observations.options.frame_bytes:
        return
    websocket = open_site_websocket(observations).websocket
    if websocket is None:
        return
    try:
        websocket.send_frame(TEXT, b"x" * observations.options.frame_bytes)
        observations.large_frame_reply = websocket.receive_until(
            lambda frame: frame.message_type == "bye", FAILURE_WAIT_SECONDS
        )
    except OSError:
        observations.large_frame_reply = websocket.receive()
    websocket.abort()


def probe_chat(observations: Observations) -> None:
    """Sign in on two WebSockets, send `typing` on the first and observe whether the second receives it.

    The event crosses the channel layer when nginx connected them to different servers.
    """
    options = observations.options
    if not (options.cookie and observations.is_chat):
        return
    first, second = open_chat_websocket(observations), None
    if first is None:
        return
    if options.room:
        observations.join_reply = first.send_command(type="join", id=2, room=options.room)
        if observations.join_reply.message_type == "joined":
            second = open_chat_websocket(observations)
    if second is None:
        return
    second.send_command(type="join", id=2, room=options.room)
    first.send_command(type="typing", id=3, room=options.room, on=True)
    observations.typing_event = second.receive_until(lambda frame: frame.message_type == "ephemeral", options.timeout)
    first.send_command(type="typing", id=4, room=options.room, on=False)
    second.abort()


def open_chat_websocket(observations: Observations) -> WebSocket | None:
    """Return a WebSocket that is signed in with the operator's session, or None when there is none.

    The first one stays open in `observations.handshake` for the hops that follow.
    """
    handshake = open_site_websocket(observations, cookie=observations.options.cookie)
    if handshake.websocket is None:
        observations.chat_hello_reply = Received("ended", str(handshake.reply).encode())
        return None
    hello_reply = handshake.websocket.send_command(type="hello", id=1, client=CLIENT_NAME)
    if observations.chat_hello_reply is None:
        observations.chat_hello_reply = hello_reply
        observations.handshake = handshake
    if hello_reply.message_type != "welcome":
        handshake.abort()
    return handshake.websocket


def probe_idle(observations: Observations) -> None:
    """Keep the WebSocket silent for as long as the operator asked, then send one ping.

    The ping tells a dead connection from a quiet one. Application pings are answered, because a server closes a
    WebSocket that does not answer them.
    """
    assert observations.handshake
    websocket, hold_seconds = observations.handshake.websocket, observations.options.hold_seconds
    if not hold_seconds or websocket is None:
        return
    waited = 0.0
    while waited < hold_seconds:
        received = websocket.receive(hold_seconds - waited)
        waited += received.seconds
        if received.kind in ("close", "ended"):
            observations.idle_result = Received(received.kind, received.data, received.code, waited)
            return
        try:
            answer_application_ping(observations, websocket, received)
        except OSError:
            observations.idle_result = Received("ended", seconds=waited)
            return
    observations.idle_result = Received("silence", seconds=waited)
    try:
        websocket.send_frame(PING, b"doctor")
    except OSError:
        observations.ping_reply = Received("ended")
        return
    observations.ping_reply = websocket.receive_until(lambda _: False)


def answer_application_ping(observations: Observations, websocket: WebSocket, received: Received) -> None:
    """Answer a ping of Engine.IO or of the chat's protocol. Raises OSError when the connection is lost."""
    if observations.engine_io and received.data == b"2":  # Engine.IO's ping, which wants the pong "3"
        websocket.send_text("3")
    if received.message_type == "ping":
        websocket.send_text(json.dumps({"type": "pong", "id": 9, "n": received.json.get("n")}))


def probe_close(observations: Observations) -> None:
    """Send a close frame with code 1000 and observe the answer; a correct server sends one back."""
    if observations.is_visitor_refused:
        return
    assert observations.handshake
    websocket = observations.handshake.websocket or open_site_websocket(observations).websocket
    if websocket is None:
        observations.close_reply = Received("ended")
        return
    try:
        websocket.send_close()
    except OSError:
        observations.close_reply = Received("ended")
        return
    while (received := websocket.receive()).kind in ("text", "binary", "pong"):
        pass
    observations.close_reply = received
    websocket.abort()
