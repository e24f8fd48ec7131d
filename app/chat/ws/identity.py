"""Whose tab this is: by the cookie of a page, or by an access token, which ends and is renewed on the open socket."""

import asyncio
import time
from typing import NamedTuple

from django.db import Error as DatabaseError

from accounts.models import User
from accounts.sessions import session_key_from_cookies
from accounts.tokens import AccessToken, read_access_token
from chat import events, limits
from chat.services.errors import ChatError
from chat.ws import protocol
from chat.ws.tab import Tab


class Credential(NamedTuple):
    """The session that a socket lives on; without a token it came in a cookie."""

    user: User
    session: str
    token: AccessToken | None


class Identified(Tab):
    """A tab that says who it is. Its session is watched, whichever way it was named."""

    expiry: asyncio.Handle | None = None  # what happens next to its token

    async def greet(self, command: protocol.Hello) -> bool:
        """Answer hello; False when it was answered by bye."""
        if self.key:
            raise ChatError("Hello was said before.")
        self.timer.cancel()
        try:
            credential = await self.credential(command.token)
        except DatabaseError:
            self.bye(1013, "The database is away.", 2)
            return False
        if credential is None:
            self.bye(4401, "Sign in first." if command.token is None else "That token is no good.")
            return False
        user = credential.user
        if len(self.process.hub.people.sockets_of(user.pk)) >= limits.SOCKETS_PER_USER:
            self.bye(4409, f"You have {limits.SOCKETS_PER_USER} sockets open.")
            return False
        self.me, self.key = user, user.pk
        self.process.hub.people.come(self)
        self.live_on(credential)
        self.process.pulse.begin(self)
        self.reply(
            protocol.Welcome(
                id=command.id,
                user=events.of_person(user),
                connection=self.connection,
                ping=limits.PING_SECONDS,
                limits=protocol.LIMITS,
                server="parley",
            )
        )
        return True

    async def on_auth(self, command: protocol.Auth) -> None:
        credential = await self.credential(command.token)
        if credential is None or credential.user.pk != self.key:
            self.bye(4401, "That token is no good.")
            return
        self.me = credential.user
        self.live_on(credential)
        self.reply(protocol.Ok(id=command.id))

    async def credential(self, token: str | None) -> Credential | None:
        """Who is meant by this token, or by the cookie where there is none; asked with whoever else is asking."""
        said = None
        if token is not None:
            said = read_access_token(token)
            session = said and said.session
        else:
            session = session_key_from_cookies(dict(self.scope["headers"]).get(b"cookie", b"").decode("latin1"))
        user = await self.process.signed_in(session) if session else None
        if session is None or user is None or (said and not said.belongs_to(user)):
            return None
        return Credential(user, session, said)

    def live_on(self, credential: Credential) -> None:
        """From now on the socket ends with this credential."""
        self.process.sessions.watch(self, credential.session)
        if self.expiry is not None:
            self.expiry.cancel()
            self.expiry = None
        if credential.token is not None:
            left = credential.token.expires - time.time()
            notice = max(0.0, left - limits.EXPIRY_NOTICE_SECONDS)
            self.expiry = asyncio.get_running_loop().call_later(notice, self.expiring, left - notice)

    def expiring(self, left: float) -> None:
        self.reply(protocol.AuthExpiring(in_=round(left)))
        self.expiry = asyncio.get_running_loop().call_later(left, self.bye, 4401, "Your token has ended.")

    async def disconnect(self, code: int) -> None:
        if self.expiry is not None:
            self.expiry.cancel()
        await super().disconnect(code)
