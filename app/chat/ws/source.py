"""The hub's way into the database."""

from collections.abc import Collection, Sequence

from chat.services import history
from chat.ws.database import query
from realtime.delivery import Event


class RoomSource:
    """Streams are rooms: see Room.stream."""

    def __init__(self, known: dict[str, str]) -> None:
        """`known`: the streams of rooms, by slug. Another epoch empties it: its rooms may be other rows."""
        self.known = known
        self.epoch = ""

    async def heads(self, streams: Collection[str]) -> tuple[str, dict[str, int]]:
        ids = {_room_id(stream): stream for stream in streams}
        epoch, heads = await query(history.load_heads, ids)
        if epoch != self.epoch:
            if self.epoch:
                self.known.clear()
            self.epoch = epoch
        return epoch, {ids[room]: head for room, head in heads.items()}

    async def since(self, stream: str, seq: int, head: int) -> list[Event] | None:
        found = await query(history.load_missed_changes, _room_id(stream), seq, head)
        return None if found is None else [Event(event.seq, event.text, event.drop) for event in found]

    def frame(self, texts: Sequence[str]) -> str:
        return '{"type":"events","events":[' + ",".join(texts) + "]}"


def _room_id(stream: str) -> int:
    return int(stream.removeprefix("room."))
