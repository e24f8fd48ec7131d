"""Messages that do not care where frames end."""

from types import SimpleNamespace
from typing import Any

from websockets.frames import Frame, Opcode

from loadtest.bench import message
from loadtest.bench.client.crowd import Crowd
from loadtest.bench.client.dialects import DIALECTS


def nats_line(number: int) -> bytes:
    return b"MSG bench 1 120\r\n" + message.JSON % message.text(number, 1_000 + number) + b"\r\n"


def heard(stream: bytes, *cuts: int) -> list[int]:
    """The numbers that a member finds in frames which end at these places."""
    crowd = Crowd(DIALECTS["nats"], senders=1)
    line: Any = SimpleNamespace(rest=b"", text=b"", ready=True, listens=True, careful=False)
    numbers: list[int] = []
    for start, end in zip((0, *cuts), (*cuts, len(stream)), strict=True):
        chunk = Frame(Opcode.BINARY, stream[start:end]).serialize(mask=False)
        found = crowd._study(line, chunk)
        numbers += [number for number, _ in found.messages]
        assert line.careful == bool(line.text)
    assert line.text == b""
    return numbers


def test_a_message_that_begins_in_one_frame_and_ends_in_the_next_is_found_once() -> None:
    stream = b"".join(map(nats_line, range(3)))
    for cut in range(1, len(stream)):
        assert heard(stream, cut) == [0, 1, 2], f"cut at {cut}"


def test_a_message_in_many_frames_is_found_once() -> None:
    stream = nats_line(7)
    assert heard(stream, *range(10, len(stream), 10)) == [7]


def test_a_chunk_that_was_cut_is_not_remembered_for_others() -> None:
    crowd = Crowd(DIALECTS["nats"], senders=1)
    whole = Frame(Opcode.BINARY, nats_line(1)).serialize(mask=False)
    half = Frame(Opcode.BINARY, nats_line(2)[:50]).serialize(mask=False)
    for chunk in (whole, half):
        crowd._study(SimpleNamespace(rest=b"", text=b"", ready=True, listens=True, careful=False), chunk)  # type: ignore[arg-type]
    assert set(crowd._known) == {whole}
