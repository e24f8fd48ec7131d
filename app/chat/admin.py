"""Rooms and messages, for the site's administrators. Every change is made by a service, which publishes it."""

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


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable when it runs
    """Shows rows; they can be changed by actions only."""

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False."""
        return False

    def has_moderate_permission(self, request: HttpRequest) -> bool:
        """Whether the administrator may use the actions: who may change such rows."""
        return super().has_change_permission(request)


def count_in_room(rows: QuerySet[Any]) -> Coalesce:
    """Return an expression for how many of these rows belong to the room of the outer query."""
    counts = rows.filter(room=OuterRef("pk")).order_by().values("room").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counts, output_field=IntegerField()), 0)


class RoomForm(forms.ModelForm):  # type: ignore[type-arg]
    """A room, with the rules for titles and topics."""

    def clean(self) -> dict[str, Any]:
        """Refuse a title or topic that the room cannot have."""
        cleaned = super().clean() or {}
        try:
            check_description(Room(kind=self.instance.kind, title=cleaned["title"], topic=cleaned["topic"]))
        except BadName as error:
            raise ValidationError(error.text) from error
        except KeyError:
            pass  # the field has an error already
        return cleaned


@admin.register(Room)
class RoomAdmin(ReadOnlyAdmin):
    """Rooms; the title, topic and limits of all but direct rooms can be changed."""

    form = RoomForm
    # "people" and not "members": Django would show the model's field of that name.
    list_display = ("__str__", "slug", "kind", "people", "messages", "last_message", "created_at")
    list_filter = ("kind", "created_at")
    search_fields = ("slug", "title", "topic")
    ordering = ("-created_at",)
    fields = ("slug", "kind", "title", "topic", "body_chars", "max_messages", "head", "floor", "created_at")
    readonly_fields = ("slug", "kind", "head", "floor", "created_at")

    def has_change_permission(self, request: HttpRequest, obj: Room | None = None) -> bool:
        """Whether the administrator may change this room."""
        return self.has_moderate_permission(request) and (obj is None or obj.kind != Room.Kind.DIRECT)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Room]:
        """Return all rooms with the columns of the list."""
        newest = Message.objects.filter(room=OuterRef("pk")).order_by("-seq").values("created_at")[:1]
        return Room.objects.annotate(
            member_count=count_in_room(Membership.objects.filter(state=State.JOINED)),
            message_count=count_in_room(Message.objects.filter(deleted_at=None)),
            newest=Subquery(newest),
        )

    @admin.display(description=_("members"), ordering="member_count")
    def people(self, room: Any) -> int:
        """Return the number of members."""
        return int(room.member_count)

    @admin.display(description=_("messages"), ordering="message_count")
    def messages(self, room: Any) -> int:
        """Return the number of messages that are not deleted."""
        return int(room.message_count)

    @admin.display(description=_("last message"), ordering="newest")
    def last_message(self, room: Any) -> Any:
        """Return when the newest message was sent."""
        return room.newest

    def save_model(self, request: HttpRequest, obj: Room, form: Any, change: bool) -> None:
        """Store and publish the room, if it has changed."""
        if form.changed_data:
            moderation.update_room(obj)


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    """Messages, which can be deleted for everyone."""

    list_display = ("text", "author", "room", "created_at", "edited_at", "deleted_at")
    list_filter = ("created_at", ("deleted_at", admin.EmptyFieldListFilter), "room__kind", "author__is_guest")
    search_fields = ("body", "author__username", "author__display_name", "=room__slug")
    list_select_related = ("author", "room")
    ordering = ("-pk",)
    fields = ("body", "author", "room", "seq", "created_at", "edited_at", "deleted_at")
    actions: ClassVar[list[str]] = ["moderator_delete"]  # type: ignore[misc]

    @admin.display(description=_("text"), ordering="body")
    def text(self, message: Message) -> str:
        """Return the beginning of the body."""
        return Truncator(message.body).chars(90) or "—"

    @admin.action(description=_("Delete for everyone"), permissions=["moderate"])
    def moderator_delete(self, request: HttpRequest, selected: QuerySet[Message]) -> None:
        """Soft-delete the selected messages."""
        deleted = sum(moderation.moderator_delete(pk) for pk in selected.values_list("pk", flat=True))
        self.message_user(request, ngettext("%d message deleted.", "%d messages deleted.", deleted) % deleted)


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    """Memberships, which can be ended, banned and unbanned."""

    list_display = ("user", "room", "role", "state", "joined_at")
    list_filter = ("state", "role", "room__kind", "user__is_guest")
    search_fields = ("user__username", "user__display_name", "=room__slug")
    list_select_related = ("user", "room")
    ordering = ("-joined_at",)
    fields = ("user", "room", "role", "state", "joined_at", "read_seq", "rev")
    actions: ClassVar[list[str]] = ["remove", "ban", "unban"]  # type: ignore[misc]

    @admin.action(description=_("Remove from the room"), permissions=["moderate"])
    def remove(self, request: HttpRequest, selected: QuerySet[Membership]) -> None:
        """Remove the selected members from their rooms."""
        self._end_memberships(request, selected.filter(state=State.JOINED), State.KICKED)

    @admin.action(description=_("Ban from the room"), permissions=["moderate"])
    def ban(self, request: HttpRequest, selected: QuerySet[Membership]) -> None:
        """Ban the selected users from their rooms."""
        self._end_memberships(request, selected.exclude(state=State.BANNED), State.BANNED)

    @admin.action(description=_("Unban"), permissions=["moderate"])
    def unban(self, request: HttpRequest, selected: QuerySet[Membership]) -> None:
        """Let the selected users join again."""
        self._end_memberships(request, selected.filter(state=State.BANNED), State.LEFT)

    def _end_memberships(self, request: HttpRequest, selected: QuerySet[Membership], state: str) -> None:
        rows = list(selected.exclude(room__kind=Room.Kind.DIRECT).select_related("room", "user"))
        for membership in rows:
            moderation.end_membership(membership, state)
        self.message_user(request, ngettext("%d membership changed.", "%d memberships changed.", len(rows)) % len(rows))


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    """Invitations; deleting one revokes it."""

    list_display = ("room", "made_by", "created_at", "expires_at")
    list_filter = ("expires_at",)
    search_fields = ("=room__slug", "room__title", "made_by__username")
    list_select_related = ("room", "made_by")
    ordering = ("-created_at",)

    def has_delete_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        """Whether the administrator may revoke invitations."""
        return self.has_moderate_permission(request)


@admin.register(Integration)
class IntegrationAdmin(ReadOnlyAdmin):
    """Integrations, which can be revoked."""

    list_display = ("__str__", "created_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    search_fields = ("bot__display_name",)
    list_select_related = ("bot",)
    ordering = ("-created_at",)
    actions: ClassVar[list[str]] = ["revoke"]  # type: ignore[misc]

    @admin.action(description=_("Revoke (its token stops working)"), permissions=["moderate"])
    def revoke(self, request: HttpRequest, selected: QuerySet[Integration]) -> None:
        """Revoke the selected integrations."""
        names = list(selected.filter(revoked_at=None).values_list("bot__display_name", flat=True))
        for name in names:
            integrations.revoke_integration(name=name)
        text = ngettext("%d integration revoked.", "%d integrations revoked.", len(names))
        self.message_user(request, text % len(names))
