"""The list of people, and the form that opens a conversation with one of them."""

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
    """Show a page of the list, or of the people whose name contains the text of a search."""
    search, number = request.GET.get("search", "").strip(), request.GET.get("page", "")
    page = max(int(number), 1) if number.isascii() and number.isdigit() and len(number) < 9 else 1
    found = people.list_people(search=search, page=page)
    return render(request, "chat/people.html", {"found": found, "search": search, "page": page})


@login_required
@require_POST
def conversation(request: HttpRequest, person: int) -> HttpResponse:
    """Redirect to the direct room of the user and this person. Raises Http404 for one who is not active."""
    assert isinstance(request.user, User)
    try:
        room = open_direct_room(me=request.user, other=people.get_user(person))
    except ChatError as error:
        raise Http404 from error
    return redirect("room", slug=room.slug)
