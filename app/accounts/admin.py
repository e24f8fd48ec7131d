"""Who is here, for the site's administrators."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.models import User
from accounts.names import clean_name

admin.site.site_header = admin.site.site_title = "Parley"


class PersonForm(UserChangeForm):  # type: ignore[type-arg]  # not subscriptable when it runs
    def clean_display_name(self) -> str:
        name = self.cleaned_data["display_name"]
        return clean_name(name) if name.strip() else ""


@admin.register(User)
class PersonAdmin(UserAdmin):  # type: ignore[type-arg]
    """Nobody is deleted here: rooms would not hear of it, and what somebody said would go."""

    form = PersonForm
    list_display = ("username", "display_name", "kind", "is_active", "is_staff", "last_login", "date_joined")
    list_filter = ("is_guest", "is_bot", "is_active", "is_staff", "last_login")
    search_fields = ("username", "display_name", "email")
    ordering = ("-date_joined",)
    readonly_fields = ("last_login", "date_joined", "is_guest", "is_bot")
    show_full_result_count = False
    actions: ClassVar[list[str]] = ["close_accounts", "open_accounts", "sign_out"]  # type: ignore[misc]
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Personal info"), {"fields": ("display_name", "email", "is_guest", "is_bot")}),
        (_("Permissions"), {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        (_("Important dates"), {"fields": ("last_login", "date_joined")}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    @admin.display(description=_("kind"))
    def kind(self, user: User) -> str:
        if user.is_bot:
            return str(_("bot"))
        return str(_("guest") if user.is_guest else _("account"))

    @admin.action(description=_("Deactivate the account and sign out everywhere"), permissions=["change"])
    def close_accounts(self, request: HttpRequest, users: QuerySet[User]) -> None:
        closed = users.exclude(username=request.user.get_username())  # nobody locks the door from the wrong side
        for user in closed:
            user.is_active = False
            user.save(update_fields=["is_active"])  # live sockets hear of it
        end_sessions({user.pk for user in closed})
        self.message_user(
            request, ngettext("%d account deactivated.", "%d accounts deactivated.", len(closed)) % len(closed)
        )

    @admin.action(description=_("Reactivate the account"), permissions=["change"])
    def open_accounts(self, request: HttpRequest, users: QuerySet[User]) -> None:
        opened = users.update(is_active=True)
        self.message_user(request, ngettext("%d account reactivated.", "%d accounts reactivated.", opened) % opened)

    @admin.action(description=_("Sign out everywhere"), permissions=["change"])
    def sign_out(self, request: HttpRequest, users: QuerySet[User]) -> None:
        ended = end_sessions(set(users.values_list("pk", flat=True)))
        self.message_user(request, ngettext("%d session ended.", "%d sessions ended.", ended) % ended)

    def save_model(self, request: HttpRequest, obj: User, form: forms.Form, change: Any) -> None:
        super().save_model(request, obj, form, change)
        if not obj.is_active:
            end_sessions({obj.pk})


def end_sessions(users: set[int]) -> int:
    """Sign these people out wherever they are; their sockets and tokens go with it. Returns how many sessions ended."""
    ended = 0
    for session in Session.objects.filter(expire_date__gt=timezone.now()).iterator():
        if int(session.get_decoded().get(SESSION_KEY, 0)) in users:
            session.delete()
            ended += 1
    return ended
