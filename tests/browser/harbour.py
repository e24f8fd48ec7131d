"""Sample data for tests and screenshots. It runs in a stack: `stack.run_python("...harbour.fill()")`."""

from datetime import timedelta
from uuid import uuid4

from django.utils import timezone

from accounts.guests import make_guest
from accounts.models import User
from chat.models import Membership, Message, Room
from chat.services import invitations, members, messages, rooms
from tests.signed_in import session_of

LONG = "a-room-with-a-rather-long-name-that-does-not-fit"
DAY = 24 * 60  # minutes
NEWS = ("Half past nine, then.", "I take the first watch.", "And I the second:\n1. tides\n2. lamps\n3. tea")


def fill() -> str:
    """Create users, rooms and messages. Returns the sessions of alice, mina and nils; nils is not in a room yet."""
    names = {
        "alice": "Alice Lind",
        "bia": "Bia Carvalho",
        "diego": "Diego Funes",
        "mina": "Mina Okafor",
        "nils": "Nils",
    }
    alice, bia, diego, mina, nils = (
        User.objects.create_user(username, display_name=name) for username, name in names.items()
    )
    tom = make_guest("Tom")
    for slug in ("general", "harbour", "deploys", "night-watch", LONG):
        for who in (alice, bia, diego, mina, tom):
            rooms.join_room(slug=slug, user=who)
    rooms.join_room(slug="empty", user=alice)
    rooms.update_room(slug="harbour", user=alice, topic="Releases in and out of port. Be kind to the night watch.")
    members.set_role(slug="harbour", by=alice, user=bia.pk, role="moderator")
    crew = rooms.create_private_room(title="Crew only", topic="Who sails on Sunday?", owner=alice)
    members.add_member(slug=crew.slug, by=alice, user=mina)
    members.add_member(slug=crew.slug, by=alice, user=diego)
    members.remove_member(slug=crew.slug, by=alice, user=diego.pk, ban=True)
    rooms.open_direct_room(me=alice, other=mina)
    rooms.open_direct_room(me=alice, other=bia)

    for number in range(60):
        _post((bia, diego)[number // 3 % 2], f"Crate {number + 1} is aboard.", 3 * DAY - number * 2)
    _post(bia, "The new box is up. `ansible-playbook site.yml` took 3 min 40 s.", DAY + 18)
    _post(bia, "wss works from my phone, on hotel wifi, first try. I still can't quite believe it.", DAY + 17)
    report = "https://example.com/doctor/report?hop=3"
    _post(diego, f"Doctor says every hop answers 101. I hold an idle socket for ten minutes now: {report}", DAY + 13)
    plan = _post(mina, "Rolling deploy at nine. You will see reconnecting for a second; nothing gets lost.", 44)
    messages.edit_message(message=plan.pk, author=mina, body=plan.body.replace("nine", "half past nine"), rev=plan.rev)
    gone = _post(diego, "wrong window", 41)
    messages.delete_message(message=gone.pk, user=diego)
    _post(alice, "Typed this while the socket was down. It went out by itself when I came back.", 38)
    question = _post(tom, "Hello, I only have the link Mina sent me. Am I in the right place?", 30)
    _post(mina, "You are! Coffee is at the pier, behind the blue door.", 29, reply_to=question)
    _post(mina, "Bring a coat.", 29)
    for number, (who, body) in enumerate(zip((diego, diego, bia), NEWS, strict=True)):
        _post(who, body, 6 - number)
    for slug, count in (("deploys", 3), ("night-watch", 1)):
        for number in range(count):
            _post(bia, f"News {number}", 5, slug=slug)
    return " ".join(session_of(who) for who in (alice, mina, nils))


def crew() -> str:
    """Return the slug of the private room and the token of a new invitation to it."""
    room = Room.objects.get(title="Crew only")
    owner = User.objects.get(username="alice")
    return f"{room.slug} {invitations.create_invitation(slug=room.slug, by=owner).token}"


def direct() -> str:
    """Return the slug of the direct room of alice and mina."""
    return Room.objects.get(kind="direct", members__username="mina").slug


def unread() -> None:
    """Set the read marker of alice in harbour to the position before the news."""
    seq = Message.objects.get(body=NEWS[0]).seq - 1
    Membership.objects.filter(user__username="alice", room__slug="harbour").update(read_seq=seq)


def _post(who: User, body: str, minutes: int, *, slug: str = "harbour", reply_to: Message | None = None) -> Message:
    """Post a message with a time that lies this many minutes back."""
    posted = messages.post_message(
        room=slug, author=who, body=body, cid=uuid4(), reply_to=reply_to.pk if reply_to else None
    ).message
    Message.objects.filter(pk=posted.pk).update(created_at=timezone.now() - timedelta(minutes=minutes))
    return Message.objects.get(pk=posted.pk)


def talk(slug: str, author: str, count: int) -> None:
    """Post the messages "1", "2" and so on in the name of a user."""
    who, _ = User.objects.get_or_create(username=author)
    rooms.join_room(slug=slug, user=who)
    for number in range(count):
        messages.post_message(room=slug, author=who, body=str(number + 1), cid=uuid4())
