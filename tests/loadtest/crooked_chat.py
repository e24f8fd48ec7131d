"""A server of parley.v1 that misbehaves on purpose: in each room in its own way, once in so many deliveries."""

import json
from collections import Counter, defaultdict
from typing import Any, Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

LIE = "@000001.00000001 0000000000000001 12345678 Nobody has said that."
SOMEBODY = {"id": 1, "name": "Somebody", "guest": True}


class CrookedChat:
    """`ways` are given to the rooms in the order of their names; `done` counts what was done to whom."""

    def __init__(self, ways: list[str], every: int) -> None:
        self.ways, self.every = ways, every
        self.heads: Counter[str] = Counter()
        self.members: defaultdict[str, list[ServerConnection]] = defaultdict(list)
        self.deliveries: Counter[str] = Counter()  # of each way
        self.done: Counter[str] = Counter()
        self.held: dict[ServerConnection, str] = {}
        self.server: Server

    async def __aenter__(self) -> Self:
        self.server = await serve(self.talk, "127.0.0.1", 0, subprotocols=[Subprotocol("parley.v1")], compression=None)
        return self

    async def __aexit__(self, *error: object) -> None:
        self.server.close()
        await self.server.wait_closed()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{next(iter(self.server.sockets)).getsockname()[1]}"

    def way(self, room: str) -> str:
        return self.ways[int(room.rpartition("-")[2]) % len(self.ways)]

    async def talk(self, one: ServerConnection) -> None:
        rooms = []
        try:
            async for text in one:
                command = json.loads(text)
                if command["type"] == "hello":
                    await self.tell(one, type="welcome", id=command["id"], user=SOMEBODY, connection="1", ping=25)
                elif command["type"] == "join":
                    rooms.append(command["room"])
                    await self.join(one, command)
                elif command["type"] == "send":
                    await self.post(one, command)
        except ConnectionClosed:
            pass
        for room in rooms:
            self.members[room].remove(one)

    async def tell(self, one: ServerConnection, **frame: Any) -> None:
        await one.send(json.dumps(frame, separators=(",", ":")))

    async def join(self, one: ServerConnection, command: dict[str, Any]) -> None:
        room = command["room"]
        head = self.heads[room]
        recovered = bool(command.get("since"))
        await self.tell(
            one, type="joined", id=command["id"], room=room, epoch="1", head=head, recovered=recovered, events=[]
        )
        self.members[room].append(one)

    async def post(self, one: ServerConnection, command: dict[str, Any]) -> None:
        room, way = command["room"], self.way(command["room"])
        if way == "deaf" and self.happens(way):
            return  # never acked, never delivered
        self.heads[room] += 1
        seq = self.heads[room]
        message = {"id": seq, "seq": seq, "rev": seq, "body": command["body"]}
        await self.tell(one, type="ok", id=command["id"], message=message)
        frame = event(room, seq, command["body"])
        for member in list(self.members[room]):
            try:
                for text in self.to_one(member, way, frame, event(room, seq, LIE)):
                    await member.send(text)
            except ConnectionClosed:
                continue

    def happens(self, way: str) -> bool:
        self.deliveries[way] += 1
        if self.deliveries[way] % self.every:
            return False
        self.done[way] += 1
        return True

    def to_one(self, member: ServerConnection, way: str, frame: str, lie: str) -> list[str]:
        if (held := self.held.pop(member, "")) and held:
            return [frame, held]
        if way in ("straight", "deaf") or not self.happens(way):
            return [frame]
        if way == "swap":
            self.held[member] = frame
            return []
        return {"drop": [], "repeat": [frame, frame], "invent": [frame, lie]}[way]


def event(room: str, seq: int, body: str) -> str:
    """A frame that delivers one message."""
    message = {"id": seq, "seq": seq, "rev": seq, "body": body}
    told = {"room": room, "seq": seq, "kind": "message", "message": message}
    return json.dumps({"type": "events", "events": [told]}, separators=(",", ":"))
