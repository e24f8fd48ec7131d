"""A frame is encoded once for all receivers, and a frame that arrives whole is decoded without autobahn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import ProtocolError
from websockets.frames import Frame as ReferenceFrame
from websockets.frames import Opcode
from websockets.streams import StreamReader

from channels_realtime.frames import Frame, decode_text_frame


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 70000])
def test_a_frame_is_encoded_as_in_rfc_6455(size):
    text = "é" * (size // 2) + "x" * (size % 2)
    assert Frame(text).wire == ReferenceFrame(Opcode.TEXT, text.encode()).serialize(mask=False)


@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 125, 126, 127, 4000, 65535])
def test_a_text_frame_that_arrives_whole_is_decoded(size):
    payload = b"x" * size
    data = ReferenceFrame(Opcode.TEXT, payload).serialize(mask=True)
    assert decode_text_frame(data) == (payload, b"")
    assert decode_text_frame(data + data) == (payload, data)


def decode_with_websockets(data):
    """Return the payload of the first frame and the rest, decoded by websockets; None if it is no whole text frame."""
    reader = StreamReader()
    reader.feed_data(data)
    reading = ReferenceFrame.parse(reader.read_exact, mask=True)
    try:
        next(reading)
    except StopIteration as done:
        frame = done.value
    except ProtocolError:
        return None
    else:
        return None  # the frame is incomplete
    if frame.opcode is not Opcode.TEXT or not frame.fin:
        return None
    try:
        frame.data.decode()
    except UnicodeDecodeError:
        return None
    return bytes(frame.data), bytes(reader.buffer)


whole = st.builds(
    lambda opcode, payload, fin: ReferenceFrame(opcode, payload, fin=fin).serialize(mask=True),
    st.sampled_from([Opcode.TEXT, Opcode.TEXT, Opcode.BINARY, Opcode.CONT]),
    st.one_of(st.text(max_size=200).map(str.encode), st.binary(max_size=200)),
    st.sampled_from([True, True, False]),
)


@given(whole, st.integers(0, 300), st.binary(max_size=3), st.booleans())
def test_only_whole_masked_text_frames_are_decoded_without_autobahn(data, cut, more, spoil):
    for broken in (data, data[:cut], data + more, bytes(data[:1]) + more + data[1:] if spoil else data):
        expected = decode_with_websockets(broken)
        if expected is not None and broken[1] == 0x80 | 126 and len(expected[0]) < 126:
            expected = None  # websockets accepts a length field that is longer than needed
        assert decode_text_frame(broken) == expected
