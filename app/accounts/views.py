"""The front door: who is not signed in sees it, and a guest comes in by it. Accounts are allauth's."""

from allauth.core.internal.ratelimit import consume, respond_429
from django.conf import settings
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.first_run import FirstAdministratorForm, is_empty, make_first_administrator
from accounts.forms import GuestForm
from accounts.guests import make_guest

GUEST_RATE = "60/m/ip"  # a class of thirty behind one address comes in at once, a script does not


def landing(request: HttpRequest, form: GuestForm | None = None) -> HttpResponse:
    """The first page. `form`: a guest's that was refused."""
    page = {"form": form, "empty": is_empty()}
    return render(request, "accounts/landing.html", page, status=400 if form else 200)


@never_cache
def setup(request: HttpRequest) -> HttpResponse:
    """Make the first administrator, and sign in. Once there is anybody, the page is gone."""
    if not is_empty():
        raise Http404
    form = FirstAdministratorForm(request.POST or None)
    if not form.is_valid():
        return render(request, "accounts/setup.html", {"form": form}, status=400 if form.is_bound else 200)
    administrator = make_first_administrator(form)
    if administrator is None:
        raise Http404
    login(request, administrator, backend="django.contrib.auth.backends.ModelBackend")
    return redirect(settings.LOGIN_REDIRECT_URL)


@require_POST
def guest(request: HttpRequest) -> HttpResponse:
    """Come in with a name only."""
    if not settings.ALLOW_GUESTS:
        raise Http404
    if not guest_may_come(request):
        too_many: HttpResponse = respond_429(request)
        return too_many
    form = GuestForm(request.POST)
    if not form.is_valid():
        return landing(request, form)
    if not request.user.is_authenticated:
        user = make_guest(form.cleaned_data["name"])
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return redirect(_own_page(request, form.cleaned_data["next"]) or settings.LOGIN_REDIRECT_URL)


def guest_may_come(request: HttpRequest) -> bool:
    """Counts this try, on our page or by the API: too many from one address may not."""
    return bool(consume(request, app="accounts", action="guest", config={"guest": GUEST_RATE}))


def _own_page(request: HttpRequest, url: str) -> str:
    """The url if it is one of this site, else nothing: nobody is sent elsewhere by a link to us."""
    ours = url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())
    return url if ours else ""
