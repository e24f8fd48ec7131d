"""The commands of parley.v1: from frames to verbs of chat.services and back; nothing is decided here."""

import asyncio
from functools import partial

from django.conf import settings

from chat import events, limits
from chat.services import history, messages, rooms
from chat.services.errors import ChatError, RoomNotFound
from chat.services.messages import Post, Posted
from chat.ws import protocol
from chat.ws.database import query
from chat.ws.identity import Identified
from chat.ws.protocol import Ok
from realtime.hub import StreamLost
from realtime.publisher import publish_ephemeral


class ChatConsumer(Identified):
    """On /ws/chat/<room>/ it joins that room by itself after hello."""

    # --- in the order of protocol.py

    async def on_hello(self, command: protocol.Hello) -> None:
        if await self.greet(command) and (room := self.scope["url_route"]["kwargs"].get("room")):
            await self.on_join(protocol.Join(id=command.id, room=room))

    async def on_join(self, command: protocol.Join) -> None:
        if sum(room != command.room for room in self.known_rooms.values()) >= limits.ROOMS_PER_SOCKET:
            raise ChatError(f"A socket follows at most {limits.ROOMS_PER_SOCKET} rooms.")
        try:
            await self.follow(command)
        except StreamLost:  # the database was put back to an older day, where the room is another row or none
            self.process.streams.pop(command.room, None)
            await self.follow(command)

    async def follow(self, command: protocol.Join) -> None:
        since = (command.since.epoch, command.since.seq) if command.since else None
        look = history.SnapshotRequest(command.room, self.me, since, command.limit)
        stream = self.process.streams.get(command.room) or await self.enter(command.room)
        self.process.hub.leave(stream, self)  # joining again is how a client asks for what it missed
        self.known_rooms.pop(stream, None)

        async def find() -> history.RoomSnapshot:
            try:
                found = await self.process.windows.ask(look)
            except RoomNotFound:
                await self.enter(command.room)
                found = await self.process.windows.ask(look)
            if self.process.streams.get(command.room) != stream:
                raise StreamLost(stream)
            return found

        def greet(window: history.RoomSnapshot) -> None:
            self.known_rooms[stream] = command.room
            self.reply(protocol.Joined(id=command.id, room=command.room, **window._asdict()))

        await self.process.hub.join(stream, self, find, greet)

    async def enter(self, slug: str) -> str:
        """Be a member of the room; returns its stream."""
        self.process.streams[slug] = (await query(rooms.join_room, slug=slug, user=self.me)).stream
        return self.process.streams[slug]

    async def on_leave(self, command: protocol.Leave) -> None:
        await query(rooms.leave_room, slug=command.room, user=self.me)
        self.reply(Ok(id=command.id))

    async def on_send(self, command: protocol.Send) -> None:
        """Answered when it is stored; meanwhile the next one may be sent."""
        post = Post(command.room, self.me, command.body, command.cid, command.reply_to)
        if settings.GROUP_COMMIT:
            self.posting = self.process.post(post)
            self.unanswered += 1
            self.posting.add_done_callback(partial(self.sent, command))
        else:
            self.stored(command, await query(messages.post_message, **post._asdict()))

    def sent(self, command: protocol.Send, posting: "asyncio.Future[Posted]") -> None:
        self.unanswered -= 1
        try:
            self.stored(command, posting.result())
        except Exception as error:
            self.failed(command, error)

    def stored(self, command: protocol.Send, posted: Posted) -> None:
        self.reply(Ok(id=command.id, message=events.of_message(posted.message).message, dup=posted.dup))

    async def on_edit(self, command: protocol.Edit) -> None:
        edited = await query(
            messages.edit_message, message=command.message, author=self.me, body=command.body, rev=command.rev
        )
        self.reply(Ok(id=command.id, message=events.of_message(edited).message))

    async def on_delete(self, command: protocol.Delete) -> None:
        deleted = await query(messages.delete_message, message=command.message, user=self.me)
        self.reply(Ok(id=command.id, message=events.of_message(deleted).message))

    async def on_read(self, command: protocol.Read) -> None:
        unread = await query(rooms.mark_read, slug=command.room, user=self.me, seq=command.seq)
        self.reply(Ok(id=command.id, unread=unread))

    async def on_typing(self, command: protocol.Typing) -> None:
        room = await query(rooms.get_joined_room, slug=command.room, user=self.me)
        frame = events.Ephemeral(room=room.slug, kind="typing", user=events.of_person(self.me), on=command.on)
        publish_ephemeral(room.stream, frame.text)
        self.reply(Ok(id=command.id))

    async def on_history(self, command: protocol.History) -> None:
        page = await query(
            history.load_page,
            slug=command.room,
            user=self.me,
            before=command.before,
            after=command.after,
            limit=command.limit,
        )
        self.reply(Ok(id=command.id, events=page.events, more=page.more))
