"""Users, for the site's administrators."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.models import User
from accounts.names import clean_name
from accounts.sessions import end_sessions

admin.site.site_header = admin.site.site_title = "Parley"


class PersonForm(UserChangeForm):  # type: ignore[type-arg]  # not subscriptable when it runs
    """A user, with the rules for display names."""

    def clean_display_name(self) -> str:
        """Apply the rules for display names; an empty one is valid."""
        name = self.cleaned_data["display_name"]
        return clean_name(name) if name.strip() else ""


@admin.register(User)
class PersonAdmin(UserAdmin):  # type: ignore[type-arg]
    """Users can be deactivated, not deleted: their rooms would not be notified, and their messages would be lost."""

    form = PersonForm
    list_display = ("username", "display_name", "kind", "is_active", "is_staff", "last_login", "date_joined")
    list_filter = ("is_guest", "is_bot", "is_active", "is_staff", "last_login")
    search_fields = ("username", "display_name", "email")
    ordering = ("-date_joined",)
    readonly_fields = ("last_login", "date_joined", "is_guest", "is_bot")
    show_full_result_count = False
    actions: ClassVar[list[str]] = ["deactivate_accounts", "reactivate_accounts", "sign_out"]  # type: ignore[misc]
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Personal info"), {"fields": ("display_name", "email", "is_guest", "is_bot")}),
        (_("Permissions"), {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        (_("Important dates"), {"fields": ("last_login", "date_joined")}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Return False."""
        return False

    @admin.display(description=_("kind"))
    def kind(self, user: User) -> str:
        """Return bot, guest or account."""
        if user.is_bot:
            return str(_("bot"))
        return str(_("guest") if user.is_guest else _("account"))

    @admin.action(description=_("Deactivate the account and sign out everywhere"), permissions=["change"])
    def deactivate_accounts(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """Deactivate these users, except the one who asks for it, and end their sessions."""
        closed = users.exclude(username=request.user.get_username())  # an administrator cannot deactivate themselves
        for user in closed:
            user.is_active = False
            user.save(update_fields=["is_active"])  # a signal closes their WebSockets
        end_sessions({user.pk for user in closed})
        self.message_user(
            request, ngettext("%d account deactivated.", "%d accounts deactivated.", len(closed)) % len(closed)
        )

    @admin.action(description=_("Reactivate the account"), permissions=["change"])
    def reactivate_accounts(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """Reactivate these users."""
        opened = users.update(is_active=True)
        self.message_user(request, ngettext("%d account reactivated.", "%d accounts reactivated.", opened) % opened)

    @admin.action(description=_("Sign out everywhere"), permissions=["change"])
    def sign_out(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """End all sessions of these users."""
        ended = end_sessions(set(users.values_list("pk", flat=True)))
        self.message_user(request, ngettext("%d session ended.", "%d sessions ended.", ended) % ended)

    def save_model(self, request: HttpRequest, obj: User, form: forms.Form, change: Any) -> None:
        """Store the user, and end the sessions of one who is not active."""
        super().save_model(request, obj, form, change)
        if not obj.is_active:
            end_sessions({obj.pk})
