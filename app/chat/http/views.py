"""The pages of rooms. They only read; messages and changes go over the WebSocket."""

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
    """Show the landing page, redirect to the room with the newest message, or show the form for a first room."""
    if not isinstance(request.user, User):
        return landing(request)
    rooms = list_rooms(request.user)
    if rooms:
        return redirect("room", slug=rooms[0].slug)
    return render(request, "chat/join_room.html", {"first": True, "limits": limits})


@login_required
@never_cache
def rooms(request: HttpRequest) -> HttpResponse:
    """Show the form for rooms; POST redirects to the open room with a name, or creates a private room with a title."""
    assert isinstance(request.user, User)
    form_data = request.POST
    page = {
        "rooms": _rooms_by_title(request),
        "limits": limits,
        "form_data": form_data,
        "private": "title" in form_data,
    }
    if request.method == "POST":
        try:
            if page["private"]:
                made = create_private_room(
                    title=form_data["title"], topic=form_data.get("topic", ""), owner=request.user
                )
                return redirect("room", slug=made.slug)
            return redirect("room", slug=slug_from_name(form_data.get("name", "")))
        except ChatError as error:
            return render(request, "chat/join_room.html", {**page, "error": describe_refusal(error)}, status=400)
    return render(request, "chat/join_room.html", page)


@login_required
@require_safe
@never_cache
def room(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a room. An open room has a page before it exists: joining it over the WebSocket creates it."""
    assert isinstance(request.user, User)
    if not slug.startswith("~") and (normalised := _slug_or_404(slug)) != slug:
        return redirect("room", slug=normalised)
    try:
        found = find_room(slug, request.user)
    except RoomNotFound as error:
        raise Http404 from error
    title = get_room_title(found, request.user) if found else slug
    kind, topic = (found.kind, found.topic) if found else ("open", "")
    listed = _rooms_by_title(request)
    if all(summary.slug != slug for summary in listed):  # the page joins the room after it has loaded
        listed = [RoomSummary(slug, title, kind, topic, unread=0, head=0), *listed]
    user = request.user
    shown_title = f"#{title}" if kind == "open" else title
    here = {"slug": slug, "title": title, "called": shown_title, "kind": kind, "topic": topic}
    page = {
        "user": {"id": user.pk, "name": user.name, "guest": user.is_guest},
        "room": slug,
        "bodyChars": found.max_body_length if found else limits.BODY_CHARS,
        "home": reverse("home"),
        "login": f"{reverse('account_login')}?{urlencode({'next': request.path})}",
    }
    return render(request, "chat/room.html", {"room": here, "rooms": listed, "page": page})


def _slug_or_404(name: str) -> str:
    try:
        return slug_from_name(name)
    except ChatError as error:
        raise Http404 from error


def _rooms_by_title(request: HttpRequest) -> list[RoomSummary]:
    """Return the user's rooms by title, an order that new messages do not change."""
    assert isinstance(request.user, User)
    return sorted(list_rooms(request.user), key=lambda summary: summary.title.casefold())
