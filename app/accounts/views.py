"""The landing page, the guests' form, and the setup of the first administrator. Accounts are allauth's."""

from allauth.core.internal.ratelimit import consume, respond_429
from django.conf import settings
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.first_run import FirstAdministratorForm, create_first_administrator, has_no_users
from accounts.forms import GuestForm
from accounts.guests import make_guest
from accounts.sessions import BACKEND

GUEST_RATE = "60/m/ip"  # allows a class of thirty behind one address, and stops a script


def landing(request: HttpRequest, form: GuestForm | None = None) -> HttpResponse:
    """Return the landing page; `form` is a guest's form that was refused."""
    page = {"form": form, "empty": has_no_users()}
    return render(request, "accounts/landing.html", page, status=400 if form else 200)


@never_cache
def setup(request: HttpRequest) -> HttpResponse:
    """Create the first administrator and sign in. Raises Http404 once the site has a user."""
    if not has_no_users():
        raise Http404
    form = FirstAdministratorForm(request.POST or None)
    if not form.is_valid():
        return render(request, "accounts/setup.html", {"form": form}, status=400 if form.is_bound else 200)
    administrator = create_first_administrator(form)
    if administrator is None:
        raise Http404
    login(request, administrator, backend=BACKEND)
    return redirect(settings.LOGIN_REDIRECT_URL)


@require_POST
def guest(request: HttpRequest) -> HttpResponse:
    """Sign in as a guest, with a name only."""
    if not settings.ALLOW_GUESTS:
        raise Http404
    if not consume_guest_rate(request):
        too_many: HttpResponse = respond_429(request)
        return too_many
    form = GuestForm(request.POST)
    if not form.is_valid():
        return landing(request, form)
    if not request.user.is_authenticated:
        user = make_guest(form.cleaned_data["name"])
        login(request, user, backend=BACKEND)
    return redirect(_local_url(request, form.cleaned_data["next"]) or settings.LOGIN_REDIRECT_URL)


def consume_guest_rate(request: HttpRequest) -> bool:
    """Count a guest from the request's address, by the page or the API; False when there were too many."""
    return bool(consume(request, app="accounts", action="guest", config={"guest": GUEST_RATE}))


def _local_url(request: HttpRequest, url: str) -> str:
    """Return the URL if it is one of this site, else an empty text: no link may redirect to another site."""
    is_local = url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())
    return url if is_local else ""
