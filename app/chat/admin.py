"""Rooms and what is said there, for the site's administrators. Services change it, so that live rooms hear of it."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from chat.models import Integration, Invitation, Membership, Message, Room
from chat.services import integrations, moderation
from chat.services.errors import BadName
from chat.services.rooms import check_description

State = Membership.State


class Watched(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable when it runs
    """To look at; what may be done to it are actions."""

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_moderate_permission(self, request: HttpRequest) -> bool:
        return super().has_change_permission(request)


def counted(rows: QuerySet[Any]) -> Coalesce:
    """How many of these there are in a room of the list."""
    found = rows.filter(room=OuterRef("pk")).order_by().values("room").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(found, output_field=IntegerField()), 0)


class RoomForm(forms.ModelForm):  # type: ignore[type-arg]
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        try:
            check_description(Room(kind=self.instance.kind, title=cleaned["title"], topic=cleaned["topic"]))
        except BadName as error:
            raise ValidationError(error.text) from error
        except KeyError:
            pass  # said already
        return cleaned


@admin.register(Room)
class RoomAdmin(Watched):
    form = RoomForm
    # Not "members": that is the model's own, which Django would show.
    list_display = ("__str__", "slug", "kind", "people", "words", "last_words", "created_at")
    list_filter = ("kind", "created_at")
    search_fields = ("slug", "title", "topic")
    ordering = ("-created_at",)
    fields = ("slug", "kind", "title", "topic", "body_chars", "max_messages", "head", "floor", "created_at")
    readonly_fields = ("slug", "kind", "head", "floor", "created_at")

    def has_change_permission(self, request: HttpRequest, obj: Room | None = None) -> bool:
        return self.has_moderate_permission(request) and (obj is None or obj.kind != Room.Kind.DIRECT)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Room]:
        newest = Message.objects.filter(room=OuterRef("pk")).order_by("-seq").values("created_at")[:1]
        return Room.objects.annotate(
            member_count=counted(Membership.objects.filter(state=State.JOINED)),
            message_count=counted(Message.objects.filter(deleted_at=None)),
            newest=Subquery(newest),
        )

    @admin.display(description=_("members"), ordering="member_count")
    def people(self, room: Any) -> int:
        return int(room.member_count)

    @admin.display(description=_("messages"), ordering="message_count")
    def words(self, room: Any) -> int:
        return int(room.message_count)

    @admin.display(description=_("last message"), ordering="newest")
    def last_words(self, room: Any) -> Any:
        return room.newest

    def save_model(self, request: HttpRequest, obj: Room, form: Any, change: bool) -> None:
        if form.changed_data:
            moderation.update_room(obj)


@admin.register(Message)
class MessageAdmin(Watched):
    list_display = ("words", "author", "room", "created_at", "edited_at", "deleted_at")
    list_filter = ("created_at", ("deleted_at", admin.EmptyFieldListFilter), "room__kind", "author__is_guest")
    search_fields = ("body", "author__username", "author__display_name", "=room__slug")
    list_select_related = ("author", "room")
    ordering = ("-pk",)
    fields = ("body", "author", "room", "seq", "created_at", "edited_at", "deleted_at")
    actions: ClassVar[list[str]] = ["take_back"]  # type: ignore[misc]

    @admin.display(description=_("text"), ordering="body")
    def words(self, message: Message) -> str:
        return Truncator(message.body).chars(90) or "—"

    @admin.action(description=_("Delete for everyone"), permissions=["moderate"])
    def take_back(self, request: HttpRequest, found: QuerySet[Message]) -> None:
        taken = sum(moderation.moderator_delete(number) for number in found.values_list("pk", flat=True))
        self.message_user(request, ngettext("%d message deleted.", "%d messages deleted.", taken) % taken)


@admin.register(Membership)
class MembershipAdmin(Watched):
    list_display = ("user", "room", "role", "state", "joined_at")
    list_filter = ("state", "role", "room__kind", "user__is_guest")
    search_fields = ("user__username", "user__display_name", "=room__slug")
    list_select_related = ("user", "room")
    ordering = ("-joined_at",)
    fields = ("user", "room", "role", "state", "joined_at", "read_seq", "rev")
    actions: ClassVar[list[str]] = ["remove", "ban", "lift_ban"]  # type: ignore[misc]

    @admin.action(description=_("Remove from the room"), permissions=["moderate"])
    def remove(self, request: HttpRequest, found: QuerySet[Membership]) -> None:
        self._put_out(request, found.filter(state=State.JOINED), State.KICKED)

    @admin.action(description=_("Ban from the room"), permissions=["moderate"])
    def ban(self, request: HttpRequest, found: QuerySet[Membership]) -> None:
        self._put_out(request, found.exclude(state=State.BANNED), State.BANNED)

    @admin.action(description=_("Unban"), permissions=["moderate"])
    def lift_ban(self, request: HttpRequest, found: QuerySet[Membership]) -> None:
        self._put_out(request, found.filter(state=State.BANNED), State.LEFT)

    def _put_out(self, request: HttpRequest, found: QuerySet[Membership], state: str) -> None:
        rows = list(found.exclude(room__kind=Room.Kind.DIRECT).select_related("room", "user"))
        for membership in rows:
            moderation.end_membership(membership, state)
        self.message_user(request, ngettext("%d membership changed.", "%d memberships changed.", len(rows)) % len(rows))


@admin.register(Invitation)
class InvitationAdmin(Watched):
    """A deleted invitation is a revoked one."""

    list_display = ("room", "made_by", "created_at", "expires_at")
    list_filter = ("expires_at",)
    search_fields = ("=room__slug", "room__title", "made_by__username")
    list_select_related = ("room", "made_by")
    ordering = ("-created_at",)

    def has_delete_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        return self.has_moderate_permission(request)


@admin.register(Integration)
class IntegrationAdmin(Watched):
    list_display = ("__str__", "created_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    search_fields = ("bot__display_name",)
    list_select_related = ("bot",)
    ordering = ("-created_at",)
    actions: ClassVar[list[str]] = ["revoke"]  # type: ignore[misc]

    @admin.action(description=_("Revoke (its token stops working)"), permissions=["moderate"])
    def revoke(self, request: HttpRequest, found: QuerySet[Integration]) -> None:
        names = list(found.filter(revoked_at=None).values_list("bot__display_name", flat=True))
        for name in names:
            integrations.revoke_integration(name=name)
        said = ngettext("%d integration revoked.", "%d integrations revoked.", len(names))
        self.message_user(request, said % len(names))
