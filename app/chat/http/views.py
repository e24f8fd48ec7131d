"""The pages. They read; what is said and changed in a room travels over the socket."""

from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.views import landing
from chat import limits
from chat.http.translations import describe_refusal
from chat.services.errors import ChatError, RoomNotFound
from chat.services.rooms import RoomSummary, create_private_room, find_room, get_room_title, list_rooms, slug_from_name


@require_safe
@never_cache
def home(request: HttpRequest) -> HttpResponse:
    """The front door, or where I talked last, or my first room."""
    if not isinstance(request.user, User):
        return landing(request)
    rooms = list_rooms(request.user)
    if rooms:
        return redirect("room", slug=rooms[0].slug)
    return render(request, "chat/join_room.html", {"first": True, "limits": limits})


@login_required
@never_cache
def rooms(request: HttpRequest) -> HttpResponse:
    """Go to the room of a name that somebody typed, or make a private one with a title."""
    assert isinstance(request.user, User)
    said = request.POST
    page = {"rooms": _by_name(request), "limits": limits, "form_data": said, "private": "title" in said}
    if request.method == "POST":
        try:
            if page["private"]:
                made = create_private_room(title=said["title"], topic=said.get("topic", ""), owner=request.user)
                return redirect("room", slug=made.slug)
            return redirect("room", slug=slug_from_name(said.get("name", "")))
        except ChatError as error:
            return render(request, "chat/join_room.html", {**page, "error": describe_refusal(error)}, status=400)
    return render(request, "chat/join_room.html", page)


@login_required
@require_safe
@never_cache
def room(request: HttpRequest, slug: str) -> HttpResponse:
    """A room's page. An open room that nobody has entered has one too: joining it, over the socket, makes it."""
    assert isinstance(request.user, User)
    if not slug.startswith("~") and (meant := _slug_or_404(slug)) != slug:
        return redirect("room", slug=meant)
    try:
        found = find_room(slug, request.user)
    except RoomNotFound as error:
        raise Http404 from error
    title = get_room_title(found, request.user) if found else slug
    kind, topic = (found.kind, found.topic) if found else ("open", "")
    mine = _by_name(request)
    if all(line.slug != slug for line in mine):  # joining comes a moment later
        mine = [RoomSummary(slug, title, kind, topic, unread=0, head=0), *mine]
    user = request.user
    called = f"#{title}" if kind == "open" else title
    here = {"slug": slug, "title": title, "called": called, "kind": kind, "topic": topic}
    page = {
        "user": {"id": user.pk, "name": user.name, "guest": user.is_guest},
        "room": slug,
        "bodyChars": found.max_body_length if found else limits.BODY_CHARS,
        "home": reverse("home"),
        "login": f"{reverse('account_login')}?{urlencode({'next': request.path})}",
    }
    return render(request, "chat/room.html", {"room": here, "rooms": mine, "page": page})


def _slug_or_404(name: str) -> str:
    try:
        return slug_from_name(name)
    except ChatError as error:
        raise Http404 from error


def _by_name(request: HttpRequest) -> list[RoomSummary]:
    """My rooms in an order that stays the same while people talk."""
    assert isinstance(request.user, User)
    return sorted(list_rooms(request.user), key=lambda line: line.title.casefold())
