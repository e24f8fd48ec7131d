"""A server of parley.v1 with a fault in each room, once in so many deliveries."""

import json
from collections import Counter, defaultdict
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from tests.loadtest.local_server import LocalServer

INVENTED = "@000001.00000001 0000000000000001 12345678 No user has sent this."
USER = {"id": 1, "name": "Guest", "guest": True}


class FaultyChat(LocalServer):
    """`faults` are given to the rooms in the order of their names; `made` counts how often each was made."""

    subprotocol = "parley.v1"

    def __init__(self, faults: list[str], every: int) -> None:
        self.faults, self.every = faults, every
        self.heads: Counter[str] = Counter()
        self.members: defaultdict[str, list[ServerConnection]] = defaultdict(list)
        self.deliveries: Counter[str] = Counter()  # by fault
        self.made: Counter[str] = Counter()
        self.held: dict[ServerConnection, str] = {}

    def fault_of(self, room: str) -> str:
        return self.faults[int(room.rpartition("-")[2]) % len(self.faults)]

    async def handle(self, connection: ServerConnection) -> None:
        rooms = []
        try:
            async for text in connection:
                command = json.loads(text)
                if command["type"] == "hello":
                    await self.reply(connection, type="welcome", id=command["id"], user=USER, connection="1", ping=25)
                elif command["type"] == "join":
                    rooms.append(command["room"])
                    await self.join(connection, command)
                elif command["type"] == "send":
                    await self.post(connection, command)
        except ConnectionClosed:
            pass
        for room in rooms:
            self.members[room].remove(connection)

    async def reply(self, one: ServerConnection, **frame: Any) -> None:
        await one.send(json.dumps(frame, separators=(",", ":")))

    async def join(self, one: ServerConnection, command: dict[str, Any]) -> None:
        room = command["room"]
        head = self.heads[room]
        recovered = bool(command.get("since"))
        await self.reply(
            one, type="joined", id=command["id"], room=room, epoch="1", head=head, recovered=recovered, events=[]
        )
        self.members[room].append(one)

    async def post(self, one: ServerConnection, command: dict[str, Any]) -> None:
        room, fault = command["room"], self.fault_of(command["room"])
        if fault == "ignore" and self.happens(fault):
            return  # never acked, never delivered
        self.heads[room] += 1
        seq = self.heads[room]
        message = {"id": seq, "seq": seq, "rev": seq, "body": command["body"]}
        await self.reply(one, type="ok", id=command["id"], message=message)
        frame = event(room, seq, command["body"])
        for member in list(self.members[room]):
            try:
                for text in self.frames_for(member, fault, frame, event(room, seq, INVENTED)):
                    await member.send(text)
            except ConnectionClosed:
                continue

    def happens(self, fault: str) -> bool:
        self.deliveries[fault] += 1
        if self.deliveries[fault] % self.every:
            return False
        self.made[fault] += 1
        return True

    def frames_for(self, member: ServerConnection, fault: str, frame: str, invented: str) -> list[str]:
        if (held := self.held.pop(member, "")) and held:
            return [frame, held]
        if fault in ("none", "ignore") or not self.happens(fault):
            return [frame]
        if fault == "swap":
            self.held[member] = frame
            return []
        return {"drop": [], "repeat": [frame, frame], "invent": [frame, invented]}[fault]


def event(room: str, seq: int, body: str) -> str:
    """A frame that delivers one message."""
    message = {"id": seq, "seq": seq, "rev": seq, "body": body}
    change = {"room": room, "seq": seq, "kind": "message", "message": message}
    return json.dumps({"type": "events", "events": [change]}, separators=(",", ":"))
