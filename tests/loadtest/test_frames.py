"""Frames of RFC 6455: its own examples, and every way to cut a stream."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import Frame as Reference
from websockets.frames import Opcode

from loadtest.core.frames import BINARY, CLOSE, PING, TEXT, Frame, build_frame, parse_frames


def server_frame(payload: bytes, opcode: int = TEXT, *, final: bool = True) -> bytes:
    return Reference(Opcode(opcode), payload, fin=final).serialize(mask=False)


def test_the_examples_of_the_rfc() -> None:
    assert parse_frames(b"\x81\x05Hello") == ([Frame(TEXT, b"Hello")], 7)
    assert parse_frames(b"\x01\x03Hel\x80\x02lo") == ([Frame(TEXT, b"Hello")], 9)
    assert parse_frames(b"\x82\x7e\x01\x00" + b"x" * 256) == ([Frame(BINARY, b"x" * 256)], 260)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 70_000])
def test_a_built_frame_is_read_by_another_library(size: int) -> None:
    payload = bytes(itertools.islice(itertools.cycle(range(256)), size))
    data = build_frame(payload, BINARY)
    chunks = [data]

    def read_exact(length: int) -> "itertools.chain[bytes]":
        yield from ()
        taken, chunks[0] = chunks[0][:length], chunks[0][length:]
        return taken  # type: ignore[return-value]

    parser = Reference.parse(read_exact, mask=True)  # type: ignore[arg-type]
    with pytest.raises(StopIteration) as stop:
        next(parser)
    frame = stop.value.value
    assert (frame.opcode, frame.data, chunks[0]) == (Opcode.BINARY, payload, b"")


def test_an_incomplete_frame_is_not_parsed() -> None:
    data = server_frame(b"a" * 300)
    for end in range(len(data)):
        assert parse_frames(data[:end]) == ([], 0)


def test_a_control_frame_between_fragments_is_returned_once() -> None:
    begin, end = server_frame(b"Hel", final=False), server_frame(b"lo", 0)
    ping = server_frame(b"?", PING)
    assert parse_frames(begin + ping) == ([], 0)
    assert parse_frames(begin + ping + end) == ([Frame(PING, b"?"), Frame(TEXT, b"Hello")], len(begin + ping + end))


def test_a_close_frame_has_a_code_or_1005() -> None:
    ((closed,), _) = parse_frames(server_frame(b"\x11\x9cslow", CLOSE))
    assert closed.close_code == 4508
    assert Frame(CLOSE, b"").close_code == 1005


def test_a_masked_frame_from_a_server_is_an_error() -> None:
    with pytest.raises(ValueError, match="mask"):
        parse_frames(build_frame(b"Hello"))


messages = st.lists(st.tuples(st.sampled_from([TEXT, BINARY, PING]), st.binary(max_size=125)), max_size=6)


@settings(deadline=None)
@given(messages, st.lists(st.integers(1, 40), min_size=1))
def test_however_a_stream_is_cut_the_messages_are_the_same(sent: list[tuple[int, bytes]], cuts: list[int]) -> None:
    stream = b"".join(server_frame(payload, opcode) for opcode, payload in sent)
    received: list[Frame] = []
    rest = b""
    sizes = itertools.cycle(cuts)
    while stream:
        size = next(sizes)
        rest, stream = rest + stream[:size], stream[size:]
        found, consumed = parse_frames(rest)
        received += found
        rest = rest[consumed:]
    assert received == [Frame(*one) for one in sent]
    assert rest == b""
