"""The people here, and the way into a conversation with one of them."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from chat.services import people
from chat.services.errors import ChatError
from chat.services.rooms import open_direct_room


@login_required
@require_safe
@never_cache
def people_page(request: HttpRequest) -> HttpResponse:
    """The list, or those of a name that somebody looks for."""
    search, number = request.GET.get("search", "").strip(), request.GET.get("page", "")
    page = max(int(number), 1) if number.isascii() and number.isdigit() and len(number) < 9 else 1
    found = people.list_people(search=search, page=page)
    return render(request, "chat/people.html", {"found": found, "search": search, "page": page})


@login_required
@require_POST
def conversation(request: HttpRequest, person: int) -> HttpResponse:
    """Go to where the two of us talk."""
    assert isinstance(request.user, User)
    try:
        room = open_direct_room(me=request.user, other=people.get_user(person))
    except ChatError as error:
        raise Http404 from error
    return redirect("room", slug=room.slug)
